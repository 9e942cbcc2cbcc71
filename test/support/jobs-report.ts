/** `npm run jobs`, as the operator of a service runs it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { COMPILED, type ServiceOptions } from './service.ts';

const SCRIPT = join(import.meta.dirname, '../../src/jobs-report.ts');
const run = promisify(execFile);

/** The lines it prints for a service that was started with these options. `port`: where that one serves, or served. */
export async function reportJobs(
  { slack, discord, perplexity, dataDir, cwd, env }: ServiceOptions & { readonly dataDir: string },
  port: number,
): Promise<readonly string[]> {
  const operator: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    NODE_COMPILE_CACHE: COMPILED,
    PORT: String(port),
    DATA_DIR: dataDir,
    PERPLEXITY_API_KEY: perplexity.apiKey,
    PERPLEXITY_BASE_URL: perplexity.url,
    ...(slack && { SLACK_BOT_TOKEN: slack.botToken, SLACK_APP_TOKEN: slack.appToken }),
    ...(discord && { DISCORD_TOKEN: discord.token }),
    ...env,
  };
  const { stdout } = await run(process.execPath, [SCRIPT], { env: operator, cwd });
  return stdout.split('\n');
}
