// The CLI over SSH: one warm interactive shell per target.
export { type CliActuatorOptions, cliActuator } from './session.ts';
