/** Checks Block Kit payloads by Slack's documented limits and reads them as a person would. */
import { type Block, SlackError } from './types.ts';

const LIMITS = {
  blocks: 50,
  sectionText: 3000,
  sectionFields: 10,
  headerText: 150,
  actions: 25,
  buttonText: 75,
  buttonValue: 2000,
  actionId: 255,
  contextElements: 10,
  contextActions: 5,
  /** All `markdown` blocks of a payload together. */
  markdown: 12_000,
  /** Text of all blocks of one message; undocumented, reported as about 13,200. */
  message: 13_200,
} as const;

const KNOWN = new Set([
  'section',
  'divider',
  'image',
  'actions',
  'context',
  'context_actions',
  'header',
  'markdown',
  'rich_text',
  'table',
  'input',
  'file',
  'video',
]);

/** @throws {SlackError} `invalid_blocks_format`, `invalid_blocks` with what is wrong, `msg_blocks_too_long`. */
export function checkBlocks(value: unknown, textBeside = 0): readonly Block[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new SlackError('invalid_blocks_format');
  const blocks = value.map((block) => {
    if (!isObject(block) || typeof block['type'] !== 'string') throw new SlackError('invalid_blocks_format');
    return block as Block; // an object with a string `type`, as just checked
  });
  const faults = blocks.flatMap((block, index) =>
    blockFaults(block).map((fault) => `/blocks/${index}: ${fault}`),
  );
  if (blocks.length > LIMITS.blocks) faults.push(`no more than ${LIMITS.blocks} items allowed`);
  const ids = blocks.map((block) => block['block_id']).filter((id) => id !== undefined);
  if (new Set(ids).size < ids.length) faults.push('block_id must be unique');
  if (faults.length > 0) throw new SlackError('invalid_blocks', ...faults);
  const markdown = blocks.filter((block) => block.type === 'markdown').map(flattenBlock);
  const total = textBeside + blocks.map(flattenBlock).join('').length;
  if (markdown.join('').length > LIMITS.markdown || total > LIMITS.message)
    throw new SlackError('msg_blocks_too_long');
  return blocks;
}

/** What a person reads in these blocks, one block a line; buttons as `[label]`. */
export function flattenBlocks(blocks: readonly Block[]): string {
  return blocks
    .map(flattenBlock)
    .filter((text) => text !== '')
    .join('\n');
}

/** The interactive elements a person could press: those of `actions`, `context_actions` and section accessories. */
export function interactiveElements(
  blocks: readonly Block[],
): readonly { readonly blockId: string; readonly element: Readonly<Record<string, unknown>> }[] {
  return blocks.flatMap((block, index) => {
    const blockId = typeof block['block_id'] === 'string' ? block['block_id'] : `b${index}`;
    const candidates = block.type === 'section' ? [block['accessory']] : list(block['elements']);
    return candidates.filter(isObject).map((element) => ({ blockId, element }));
  });
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function blockFaults(block: Block): readonly string[] {
  if (!KNOWN.has(block.type)) return [`unsupported type: ${block.type}`];
  switch (block.type) {
    case 'section':
      return sectionFaults(block);
    case 'header':
      return textFaults(block['text'], LIMITS.headerText, ['plain_text']);
    case 'markdown':
      return typeof block['text'] === 'string' && block['text'] !== ''
        ? []
        : ['missing required field: text'];
    case 'context':
      return elementFaults(block, LIMITS.contextElements, (element) =>
        element['type'] === 'image' ? [] : textFaults(element, LIMITS.sectionText),
      );
    case 'actions':
      return elementFaults(block, LIMITS.actions, buttonFaults);
    case 'context_actions':
      return elementFaults(block, LIMITS.contextActions, () => []);
    default:
      return [];
  }
}

function sectionFaults(block: Block): readonly string[] {
  const fields = list(block['fields']);
  if (block['text'] === undefined && fields.length === 0) return ['missing required field: text'];
  return [
    ...(block['text'] === undefined ? [] : textFaults(block['text'], LIMITS.sectionText)),
    ...(fields.length > LIMITS.sectionFields ? ['too many fields'] : []),
    ...(isObject(block['accessory']) ? buttonFaults(block['accessory']) : []),
  ];
}

function elementFaults(
  block: Block,
  most: number,
  check: (element: Readonly<Record<string, unknown>>) => readonly string[],
): readonly string[] {
  const elements = list(block['elements']);
  if (elements.length === 0) return ['missing required field: elements'];
  if (elements.length > most) return [`no more than ${most} elements allowed`];
  return elements.flatMap((element) => (isObject(element) ? check(element) : ['element must be an object']));
}

function buttonFaults(element: Readonly<Record<string, unknown>>): readonly string[] {
  if (element['type'] !== 'button') return [];
  const { value, action_id: actionId, style } = element;
  const faults = [...textFaults(element['text'], LIMITS.buttonText, ['plain_text'])];
  if (typeof actionId !== 'string' || actionId.length > LIMITS.actionId) faults.push('invalid action_id');
  if (value !== undefined && (typeof value !== 'string' || value.length > LIMITS.buttonValue))
    faults.push(`value must be a string of at most ${LIMITS.buttonValue} characters`);
  if (style !== undefined && style !== 'primary' && style !== 'danger') faults.push('invalid style');
  return faults;
}

function textFaults(
  text: unknown,
  most: number,
  kinds: readonly string[] = ['plain_text', 'mrkdwn'],
): readonly string[] {
  if (!isObject(text) || typeof text['type'] !== 'string' || !kinds.includes(text['type']))
    return [`text must be an object of type ${kinds.join(' or ')}`];
  const content = text['text'];
  if (typeof content !== 'string' || content === '') return ['text must not be empty'];
  return content.length > most ? [`text must be at most ${most} characters`] : [];
}

function flattenBlock(block: Block): string {
  if (block.type === 'divider') return '---';
  if (block.type === 'markdown') return String(block['text']);
  const own = [block['text'], ...list(block['fields'])].map(elementText);
  const inner = [block['accessory'], ...list(block['elements'])].map(elementText);
  return [...own, ...inner].filter((text) => text !== '').join(block.type === 'rich_text' ? '' : ' ');
}

function elementText(element: unknown): string {
  if (typeof element === 'string') return element;
  if (!isObject(element)) return '';
  if (element['type'] === 'button') return `[${elementText(element['text'])}]`;
  if (element['type'] === 'link') return String(element['text'] ?? element['url']);
  if (typeof element['text'] === 'string') return element['text'];
  return list(element['elements']).map(elementText).join('');
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
