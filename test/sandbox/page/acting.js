/** Sends an action; resolves with its answer, or null after telling the person why it was refused. */
export async function act(action) {
  try {
    const response = await fetch('/api/do', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(action),
    });
    const answer = await response.json();
    if (response.ok) return answer;
    toast(answer.error);
  } catch {
    toast('The sandbox does not answer. Is it still running?');
  }
  return null;
}

let hiding = 0;

export function toast(text) {
  const element = document.querySelector('#toast');
  element.textContent = text;
  element.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (element.hidden = true), 6_000);
}
