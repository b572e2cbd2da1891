// Owns: the text of an IOS configuration as a tree of lines: parse, render, set and unset a line. It knows indentation
// and order, not what the lines mean (config-facts.ts does).

export interface ConfigNode {
  readonly line: string;
  readonly children: readonly ConfigNode[];
}
export type Config = readonly ConfigNode[];

/** One change. `path` names the parent lines: `['router bgp 65002', 'address-family ipv4']`. */
export type ConfigChange =
  /** Puts the line there; siblings that match `replaces` go. */
  | { readonly kind: 'set'; readonly path: readonly string[]; readonly line: string; readonly replaces?: RegExp }
  /** Takes away every line that matches. */
  | { readonly kind: 'unset'; readonly path: readonly string[]; readonly matches: RegExp };

/** The order in which IOS prints what was entered in any order. */
const order = [
  /^version/,
  /^service /,
  /^hostname/,
  /^netconf-yang/,
  /^errdisable/,
  /^vlan/,
  /^class-map/,
  /^policy-map/,
  /^interface/,
  /^router/,
  /^ip route/,
  /^logging/,
  /^snmp-server/,
  /^line/,
  /^description/,
  /^no switchport/,
  /^switchport (access|trunk)/,
  /^switchport mode/,
  /^switchport port-security maximum/,
  /^switchport port-security violation/,
  /^switchport port-security mac-address sticky$/,
  /^switchport port-security mac-address/,
  /^switchport port-security$/,
  /^ip address/,
  /^no ip address/,
  /^standby \d+ ip/,
  /^standby/,
  /^shutdown/,
  /^bgp/,
  /^network/,
  /^neighbor/,
  /^address-family/,
  /^source-interface/,
  /^member vni/,
  /^service-policy/,
];
const rankOf = (line: string) => {
  const rank = order.findIndex((pattern) => pattern.test(line));
  return rank < 0 ? order.length : rank;
};

const indentOf = (line: string) => line.length - line.trimStart().length;

/** Reads configuration text; `!` lines and `exit-address-family` are dressing. */
export function parseConfig(text: string): Config {
  const lines = text.split(/\r?\n/).filter((line) => !/^\s*(!.*|exit-address-family|end|)$/.test(line));
  let at = 0;
  const block = (indent: number): ConfigNode[] => {
    const nodes: ConfigNode[] = [];
    while (at < lines.length && indentOf(lines[at]!) >= indent) {
      const line = lines[at++]!;
      nodes.push({ line: line.trim(), children: block(indentOf(line) + 1) });
    }
    return nodes;
  };
  return block(0).sort((one, other) => rankOf(one.line) - rankOf(other.line));
}

/** As `show running-config` prints it, from the first `!` to `end`. */
export function renderConfig(config: Config): string {
  const out = ['!'];
  config.forEach((node, i) => {
    out.push(...renderNode(node, ''));
    const next = config[i + 1];
    if (node.children.length > 0 || next?.line.split(' ', 1)[0] !== node.line.split(' ', 1)[0]) out.push('!');
  });
  return [...out, 'end'].join('\n');
}

function renderNode(node: ConfigNode, indent: string): string[] {
  const inner = node.children.flatMap((child) => renderNode(child, `${indent} `));
  if (!node.line.startsWith('address-family')) return [`${indent}${node.line}`, ...inner];
  return [`${indent}!`, `${indent}${node.line}`, ...inner, `${indent}exit-address-family`];
}

export function applyChange(config: Config, change: ConfigChange): Config {
  return change.kind === 'set'
    ? setAt(config, change.path, change.line, change.replaces)
    : unsetAt(config, change.path, change.matches);
}

function setAt(nodes: Config, path: readonly string[], line: string, replaces: RegExp | undefined): Config {
  const [parent, ...rest] = path;
  if (parent !== undefined) {
    const held = nodes.some((node) => node.line === parent) ? nodes : insert(nodes, { line: parent, children: [] });
    return held.map((node) =>
      node.line === parent ? { line: parent, children: setAt(node.children, rest, line, replaces) } : node,
    );
  }
  if (nodes.some((node) => node.line === line)) return nodes;
  return insert(
    nodes.filter((node) => !replaces?.test(node.line)),
    { line, children: [] },
  );
}

function insert(nodes: Config, added: ConfigNode): Config {
  const rank = rankOf(added.line);
  const at = nodes.findIndex((node) => rankOf(node.line) > rank);
  return at < 0 ? [...nodes, added] : [...nodes.slice(0, at), added, ...nodes.slice(at)];
}

function unsetAt(nodes: Config, path: readonly string[], matches: RegExp): Config {
  const [parent, ...rest] = path;
  if (parent === undefined) return nodes.filter((node) => !matches.test(node.line));
  return nodes.map((node) => (node.line === parent ? { line: parent, children: unsetAt(node.children, rest, matches) } : node));
}

export function childrenOf(config: Config, ...path: readonly string[]): Config {
  return path.reduce<Config>((nodes, line) => nodes.find((node) => node.line === line)?.children ?? [], config);
}

export function sameConfig(one: Config, other: Config): boolean {
  return renderConfig(one) === renderConfig(other);
}
