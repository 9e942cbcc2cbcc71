import type { ServerResponse } from 'node:http';
import type { Exchange, RecordedRequest } from './exchange.ts';
import {
  type AnswerFault,
  answerFault,
  askedFault,
  type FaultName,
  isAnswerFault,
  isStreamFault,
  sendFault,
} from './faults.ts';
import { faultOn, isLateFault, type LateFault, type Occasion } from './job-faults.ts';

/** Writes the response itself. */
export type FaultScript = (response: ServerResponse, record: RecordedRequest) => void;

/** Takes the place of the next answers: a fault by name, or a function. */
type ScriptedFault = FaultName | AnswerFault | LateFault | FaultScript;

/** The faults that wait for requests to come, a line for every occasion, and those that questions ask for. */
export interface FaultLines {
  add(fault: ScriptedFault, times: number, on: Occasion): void;
  forRequest(
    response: ServerResponse,
    record: RecordedRequest,
  ): Pick<Exchange, 'chooseFault' | 'chooseJobFault'>;
}

export function createFaultLines(): FaultLines {
  const lines = new Map<Occasion, { fault: ScriptedFault; left: number }[]>();
  const spent = new Map<string, number>();

  const next = (on: Occasion): ScriptedFault | null => {
    const line = lines.get(on) ?? [];
    const first = line[0];
    if (!first) return null;
    first.left--;
    if (first.left <= 0) line.shift();
    return first.fault;
  };

  return {
    add: (fault, left, on) => void lines.set(on, [...(lines.get(on) ?? []), { fault, left }]),
    forRequest: (response, record) => ({
      chooseFault(said) {
        const question = said.at(-1)?.text ?? '';
        const fault = next('answer') ?? askedFault(question, JSON.stringify(said), spent, answerFault);
        if (typeof fault === 'function') fault(response, record);
        else if (fault === null || isStreamFault(fault)) return fault;
        else if (isAnswerFault(fault)) sendFault(fault, response);
        return 'handled';
      },
      chooseJobFault(on, question) {
        const find = (word: string): AnswerFault | LateFault | null => faultOn(on, word);
        const fault = next(on) ?? askedFault(question, `${on} ${question}`, spent, find);
        if (typeof fault === 'function') fault(response, record);
        else if (fault === null || isLateFault(fault)) return fault;
        else if (isAnswerFault(fault)) sendFault(fault, response);
        return 'handled';
      },
    }),
  };
}
