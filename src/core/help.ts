/** What somebody sees who mentions the bot without asking anything. Plain text. */
export const HELP = [
  'Ask me anything: mention me with a question, send me a direct message, or use /ask.',
  'I search the web and answer in a thread, with sources. Go on asking there: while it is just the two of us no mention is needed.',
  'For a thorough report write research: and your question, or use /research; I tell you when it is done. !jobs lists yours.',
  'I can be wrong. Check the sources before you rely on an answer.',
].join('\n');
