// Owns: what others call of the command line over SSH.
export { type CliActuatorOptions, cliActuator } from './session.ts';
