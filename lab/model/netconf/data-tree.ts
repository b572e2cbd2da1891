// Owns: data as NETCONF sees it: a tree of elements; edit-config on it, the subtree filter, and its XML.
import { Refusal } from './rpc-error.ts';
import { type SchemaNode, schemaChild } from './schema.ts';
import { escapeXml, netconfNs, type XmlNode } from './xml.ts';

export interface DataNode {
  readonly name: string;
  readonly ns: string;
  /** Of a leaf. */
  readonly value?: string;
  readonly children: readonly DataNode[];
}

export function renderData(nodes: readonly DataNode[], outerNs = ''): string {
  return nodes
    .map(({ name, ns, value, children }) => {
      const open = ns === outerNs ? name : `${name} xmlns="${ns}"`;
      const inner = value === undefined ? renderData(children, ns) : escapeXml(value);
      return inner === '' ? `<${open}/>` : `<${open}>${inner}</${name}>`;
    })
    .join('');
}

/** RFC 6241 section 6: containment, selection and content match nodes. An empty filter selects nothing. */
export function filterData(nodes: readonly DataNode[], filters: readonly XmlNode[]): DataNode[] {
  return nodes.flatMap((node) => {
    const matching = filters.filter(
      (filter) => filter.name === node.name && (filter.ns === node.ns || filter.ns === netconfNs || filter.ns === ''),
    );
    const parts = matching.flatMap((filter) => selected(node, filter) ?? []);
    return parts.length === 0 ? [] : [parts.reduce(mergeParts)];
  });
}

function selected(node: DataNode, filter: XmlNode): DataNode | undefined {
  if (filter.children.length === 0) return filter.text === '' || filter.text === node.value ? node : undefined;
  const matches = filter.children.filter((child) => child.children.length === 0 && child.text !== '');
  if (!matches.every((match) => node.children.some((child) => child.name === match.name && child.value === match.text)))
    return undefined;
  if (matches.length === filter.children.length) return node;
  const children = filterData(node.children, filter.children);
  return children.length === 0 ? undefined : { ...node, children };
}

function mergeParts(one: DataNode, other: DataNode): DataNode {
  const more = other.children.filter((child) => !one.children.includes(child));
  return { ...one, children: [...one.children, ...more] };
}

const operations = ['merge', 'replace', 'create', 'delete', 'remove', 'none'] as const;
type Operation = (typeof operations)[number];
export type DefaultOperation = 'merge' | 'replace' | 'none';

/** The nodes after edit-config. Throws a Refusal that names the place. Nothing is taken where anything is refused. */
export function editData(
  nodes: readonly DataNode[],
  edits: readonly XmlNode[],
  schemas: readonly SchemaNode[],
  byDefault: DefaultOperation,
): readonly DataNode[] {
  return edits.reduce((held, edit) => {
    const schema = schemas.find(({ name, ns }) => name === edit.name && ns === edit.ns);
    if (!schema) throw unknown(edit, '', schemas);
    return editOne(held, edit, schema, { operation: byDefault, path: '' });
  }, nodes);
}

interface Inherited {
  readonly operation: Operation;
  readonly path: string;
}

function editOne(siblings: readonly DataNode[], edit: XmlNode, schema: SchemaNode, outer: Inherited): readonly DataNode[] {
  const operation = operationOf(edit, outer);
  const path = pathOf(edit, schema, outer.path);
  if (schema.kind === 'leaf' && operation !== 'delete' && operation !== 'remove') checkLeaf(edit, schema.type, path);
  const found = siblings.find((sibling) => isSame(sibling, edit, schema));
  const rest = siblings.filter((sibling) => sibling !== found);
  const put = (node: DataNode) => (found ? siblings.map((sibling) => (sibling === found ? node : sibling)) : [...siblings, node]);

  if (operation === 'delete' && !found) throw refuse('data-missing', `there is nothing to delete at ${path}`, path);
  if (operation === 'delete' || operation === 'remove') return rest;
  if (operation === 'create' && found) throw refuse('data-exists', `it is there already: ${path}`, path);
  if (operation === 'none' && !found) throw refuse('data-missing', `there is no ${path}`, path);
  if (schema.kind === 'leaf')
    return operation === 'none' ? siblings : put({ name: edit.name, ns: edit.ns, value: edit.text, children: [] });

  const start: DataNode = operation === 'replace' || !found ? { name: edit.name, ns: edit.ns, children: [] } : found;
  const inner = operation === 'create' || operation === 'replace' ? 'merge' : operation;
  const children = edit.children.reduce<readonly DataNode[]>((held, child) => {
    const next = schemaChild(schema, child.name, child.ns);
    if (!next) throw unknown(child, path, schema.children);
    // Keys name the entry; `none` and its like do not speak of them.
    const isKey = schema.kind === 'list' && schema.keys.includes(child.name);
    return editOne(held, child, next, { operation: isKey ? 'merge' : inner, path });
  }, start.children);
  return put({ ...start, children: lastCase(schema, children, edit) });
}

/** Of a choice only what was set last stays. */
function lastCase(schema: SchemaNode, children: readonly DataNode[], edit: XmlNode): readonly DataNode[] {
  const last = edit.children.at(-1);
  if (schema.kind !== 'container' || schema.cases !== 'one' || children.length < 2 || !last) return children;
  return children.filter(({ name }) => name === last.name);
}

function operationOf(edit: XmlNode, outer: Inherited): Operation {
  const written = edit.attributes['nc:operation'];
  if (written === undefined) return outer.operation;
  const operation = operations.find((each) => each === written && each !== 'none');
  if (!operation) throw refuse('invalid-value', `"${written}" is no operation`, outer.path);
  return operation;
}

function checkLeaf(edit: XmlNode, type: RegExp, path: string): void {
  if (edit.children.length > 0) throw refuse('bad-element', `${edit.name} is a leaf`, path);
  if (!type.test(edit.text))
    throw refuse('invalid-value', `"${edit.text.slice(0, 80)}" is not a valid value for ${edit.name}`, path);
}

/** A list entry is itself by its keys, all else by its name. */
function isSame(node: DataNode, edit: XmlNode, schema: SchemaNode): boolean {
  if (node.name !== edit.name || node.ns !== edit.ns) return false;
  if (schema.kind !== 'list') return true;
  return schema.keys.every((key) => leafOf(node, key) === edit.children.find((child) => child.name === key)?.text);
}

function pathOf(edit: XmlNode, schema: SchemaNode, outer: string): string {
  const keys = schema.kind === 'list' ? schema.keys : [];
  const written = keys.map((key) => {
    const value = edit.children.find((child) => child.name === key)?.text;
    if (value === undefined) {
      throw new Refusal({
        type: 'protocol',
        tag: 'missing-element',
        message: `the key ${key} of ${edit.name} is missing`,
        path: `${outer}/${edit.name}`,
        info: `<bad-element>${escapeXml(key)}</bad-element>`,
      });
    }
    return `[${key}='${value.slice(0, 80)}']`;
  });
  return `${outer}/${edit.name}${written.join('')}`;
}

function unknown(edit: XmlNode, path: string, known: readonly SchemaNode[]): Refusal {
  const otherNs = known.some(({ name }) => name === edit.name);
  return new Refusal({
    type: 'application',
    tag: otherNs || !known.some(({ ns }) => ns === edit.ns) ? 'unknown-namespace' : 'unknown-element',
    message: `unknown element: ${edit.name} in namespace "${edit.ns}"`,
    path: `${path}/${edit.name}`,
    info: `<bad-element>${escapeXml(edit.name)}</bad-element>${otherNs ? `<bad-namespace>${escapeXml(edit.ns)}</bad-namespace>` : ''}`,
  });
}

function refuse(tag: 'data-missing' | 'data-exists' | 'invalid-value' | 'bad-element', message: string, path: string): Refusal {
  return new Refusal({ type: 'application', tag, message, path });
}

export function leafOf(node: DataNode, name: string): string | undefined {
  return node.children.find((child) => child.name === name)?.value;
}

/** Every node reached by the names. */
export function reach(nodes: readonly DataNode[], ...names: readonly string[]): readonly DataNode[] {
  const [name, ...rest] = names;
  if (name === undefined) return nodes;
  const found = nodes.filter((node) => node.name === name);
  return rest.length === 0
    ? found
    : reach(
        found.flatMap(({ children }) => children),
        ...rest,
      );
}
