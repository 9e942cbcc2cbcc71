/**
 * Makes an element. Texts become text nodes, so nothing anybody wrote is ever read as HTML.
 * @param {string} name a tag, with classes behind dots: `p.small.quiet`
 * @param {Record<string, any>} attributes `on…` are listeners; true sets, false and null leave out
 * @param {...(Node | string | null)} children
 */
export function h(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split('.');
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, `${value}`);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Brings the children of `parent` to `wanted`, in order, moving and removing as little as possible. */
export function arrange(parent, wanted) {
  const keep = new Set(wanted);
  const gone = [...parent.children].filter((child) => !keep.has(child));
  for (const child of gone) child.remove();
  wanted.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}
