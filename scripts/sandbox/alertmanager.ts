import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { inState } from './paths.ts';
import { intakePort, ports, secondIntakePort } from './ports.ts';
import { ready, start } from './processes.ts';

export const alertmanager = {
  url: `http://127.0.0.1:${ports.alertmanager}`,
  /** Where alerts are sent: the intake of a Windlass worker, which need not be there yet. */
  intake: { url: `http://127.0.0.1:${intakePort}/alerts`, tokenFile: () => inState('alert-intake.token') },
  /** A second worker of the machine, which takes the alerts with this label; the token is the same. */
  secondIntake: { url: `http://127.0.0.1:${secondIntakePort}/alerts`, label: 'intake', value: 'second' },
};

/** Starts Alertmanager, which sends each group of alerts, and its end, to the intake. */
export async function startAlertmanager(binary: string): Promise<void> {
  mkdirSync(inState('alertmanager'), { recursive: true });
  const { tokenFile } = alertmanager.intake;
  // Made once: a worker that read it stays welcome after the sandbox was down.
  if (!existsSync(tokenFile())) writeFileSync(tokenFile(), randomBytes(24).toString('base64url'), { mode: 0o600 });
  writeFileSync(inState('alertmanager.yaml'), stringify(configuration()));
  const args = [
    `--config.file=${inState('alertmanager.yaml')}`,
    `--storage.path=${inState('alertmanager')}`,
    `--web.listen-address=127.0.0.1:${ports.alertmanager}`,
    '--cluster.listen-address=', // One instance: it looks for no peers.
    '--log.level=warn',
  ];
  start({ name: 'alertmanager', command: binary, args });
  await ready('alertmanager', alertmanagerAnswers);
}

export async function alertmanagerAnswers(): Promise<boolean> {
  return (await fetch(`${alertmanager.url}/-/ready`)).ok;
}

function configuration(): object {
  const { intake, secondIntake } = alertmanager;
  // By file: the configuration is shown on a page of Alertmanager.
  const authorization = { type: 'Bearer', credentials_file: intake.tokenFile() };
  const receiver = (name: string, url: string): object => ({
    name,
    webhook_configs: [{ url, send_resolved: true, http_config: { authorization, follow_redirects: false } }],
  });
  const route = {
    receiver: 'windlass',
    routes: [{ receiver: 'second', matchers: [`${secondIntake.label}="${secondIntake.value}"`] }],
    group_by: ['alertname', 'namespace'],
    // Short, so that tests and the demo need not wait; in production they stop floods.
    group_wait: '1s',
    group_interval: '1s',
    repeat_interval: '1h',
  };
  // How long an alert that is not repeated counts as firing: Prometheus sends an end of its own with each.
  return {
    global: { resolve_timeout: '1m' },
    route,
    receivers: [receiver('windlass', intake.url), receiver('second', secondIntake.url)],
  };
}
