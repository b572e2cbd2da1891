// Owns: what the NETCONF server of a device knows of its data models: a router's here, a switch's in switch-models.ts.
import type { Operator } from '../chassis.ts';
import type { Config, ConfigChange } from '../config.ts';
import type { Device } from '../device.ts';
import type { DataNode } from './data-tree.ts';
import { changesBetween, checkData, hsrpData, nativeData, placedLines } from './native.ts';
import { bgpNs, hsrpNs, nativeNs, nativeSchema, type SchemaNode } from './schema.ts';
import type { XmlNode } from './xml.ts';

/** An operation of a vendor's module. Answers with XML, undefined for `<ok/>`; throws a Refusal. */
export interface ModelAction {
  readonly name: string;
  readonly ns: string;
  readonly run: (operation: XmlNode, operator: Operator) => string | undefined;
}

export interface DeviceModels {
  /** URIs for the hello. */
  readonly capabilities: readonly string[];
  readonly schemas: readonly SchemaNode[];
  readonly read: (config: Config) => readonly DataNode[];
  /** What `get` adds to the configuration. */
  readonly state: () => readonly DataNode[];
  /** Throws the Refusal of a `must` or a leafref, at validate and commit. */
  readonly check: (data: readonly DataNode[]) => void;
  readonly changes: (
    before: readonly DataNode[],
    after: readonly DataNode[],
  ) => readonly { readonly change: ConfigChange; readonly line: string }[];
  readonly actions: readonly ModelAction[];
}

export const moduleCapability = (ns: string, revision: string) =>
  `${ns}?module=${ns.slice(ns.lastIndexOf('/') + 1)}&revision=${revision}`;

export function routerModels(device: Device): DeviceModels {
  return {
    capabilities: [nativeNs, bgpNs, hsrpNs].map((ns) => moduleCapability(ns, '2022-11-01')),
    schemas: [nativeSchema],
    read: nativeData,
    state: () => hsrpData(device.groups()),
    check: checkData,
    changes: (before, after) => changesBetween(placedLines(before), placedLines(after)),
    actions: [],
  };
}
