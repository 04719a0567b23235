import type { SignalDefinition, UpdateDefinition } from '@temporalio/common';
import { setHandler } from '@temporalio/workflow';
import type { z } from 'zod';
import {
  acknowledgeSchema,
  alertsSchema,
  resolveSchema,
  setSeveritySchema,
} from '../../src/contracts/handle-incident.ts';
import type { IncidentAlert } from '../../src/contracts/handle-incident.ts';
import type { OrderResult } from '../../src/contracts/messages.ts';
import * as messages from '../messages.ts';
import type { Procedure } from './procedure.ts';

/** What an incident does with each message once its shape is right. */
export interface IncidentOrders {
  alerts: (alerts: IncidentAlert[]) => void;
  acknowledge: (order: z.output<typeof acknowledgeSchema>) => OrderResult;
  setSeverity: (order: z.output<typeof setSeveritySchema>) => OrderResult;
  resolve: (order: z.output<typeof resolveSchema>) => OrderResult;
}

/** Registers the messages of an incident; called before the first `await`. What is refused is answered and recorded. */
export function takeIncidentOrders(procedure: Procedure, orders: IncidentOrders): void {
  setHandler(
    messages.alerts,
    (raw) => {
      const parsed = alertsSchema.safeParse(raw);
      if (parsed.success) orders.alerts(parsed.data.alerts);
      else procedure.record('alerts without effect: not the shape that the intake sends');
    },
    { description: 'From the intake of alerts: what a webhook brought' },
  );

  register(messages.acknowledge, messages.acknowledgeSignal, acknowledgeSchema, orders.acknowledge, {
    name: 'acknowledge',
    example: '{"by": "kim"}',
    does: 'Take care of the incident, which stops the escalation',
  });
  register(messages.setSeverity, messages.setSeveritySignal, setSeveritySchema, orders.setSeverity, {
    name: 'setSeverity',
    example: '{"severity": "P1", "by": "kim", "reason": "…"}',
    does: 'Overrule the computed severity',
  });
  register(messages.resolve, messages.resolveSignal, resolveSchema, orders.resolve, {
    name: 'resolve',
    example: '{"by": "kim", "reason": "…"}',
    does: 'Say that the incident is over, whatever alerts say',
  });

  function register<Schema extends z.ZodType>(
    update: UpdateDefinition<OrderResult, [unknown]>,
    signal: SignalDefinition<[unknown]>,
    schema: Schema,
    apply: (order: z.output<Schema>) => OrderResult,
    { name, example, does }: { name: string; example: string; does: string },
  ): void {
    const take = (raw: unknown): OrderResult => {
      const parsed = schema.safeParse(raw);
      const result = parsed.success ? apply(parsed.data) : { accepted: false, message: `Expected ${example}.` };
      if (!result.accepted) procedure.record(`${name} without effect: ${result.message}`);
      return result;
    };
    setHandler(update, take, { description: `${does}: ${example}` });
    setHandler(signal, (raw) => void take(raw), { description: `${does}: ${example}` });
  }
}
