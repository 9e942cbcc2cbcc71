/** Shows an attached report to read, and gives it out as it is. */
import { toast } from './acting.js';
import { blocks } from './blocks.js';
import { h } from './dom.js';

const dialog = document.querySelector('#file');
const close = h(
  'button',
  { type: 'button', 'aria-label': 'Close the file', onclick: () => dialog.close() },
  '×',
);
const title = h('h3');
const size = h('span.small');
const download = h('a.button', {}, 'Download');
const text = h('div.text', { tabindex: '0', role: 'document', 'aria-label': 'The file' });
dialog.append(h('header', {}, title, size, download, close), text);
dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close());

/** @param {{ name: string, size: number, path: string | null }} file one that has a text */
export async function openFile(file) {
  const content = await contentOf(file);
  if (content === null) return toast('This file is not there any more.');
  title.textContent = file.name;
  size.textContent = sizeOf(file);
  download.href = file.path;
  download.download = file.name;
  text.replaceChildren(...blocks(content, { dialect: 'file', nameOf: () => null }));
  dialog.showModal();
  text.scrollTop = 0;
  text.focus();
}

async function contentOf({ path }) {
  try {
    const response = await fetch(path);
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

export function sizeOf({ size: bytes }) {
  return bytes < 1_000 ? `${bytes} bytes` : `${(bytes / 1_000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
}
