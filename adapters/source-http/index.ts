// Owns: what the http source gives to others.
export { type HttpSourceOptions, type HttpTls, httpSource } from './source.ts';
