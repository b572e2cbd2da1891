// Owns: what the nats source gives to others.
export { type NatsLogin, type NatsSource, type NatsSourceOptions, natsSource } from './source.ts';
