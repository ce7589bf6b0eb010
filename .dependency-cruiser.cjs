/**
 * The rooms and who may enter which, as the design has it. Tests (`*.test.ts`, test/, bench/) may enter any room.
 */
const rooms = [
  'domain',
  'workflows',
  'activities',
  'gateways',
  'db',
  'api',
  'workers',
  'dev',
  'sandbox',
  'cli',
  'test',
  'bench',
];

/** The folders of api/ that are no resource. */
const apiParts = ['admission', 'http', 'middleware', 'openapi', 'shapes', 'system', 'temporal'];

const oneOf = (names) => `^(${names.join('|')})/`;
const code = (room) => ({ path: `^${room}/`, pathNot: '\\.test\\.ts$' });

/** Of our own rooms, `room` may enter these and itself, and of the others the modules that `except` names. */
const enters = (room, allowed, except = {}) => ({
  name: `${room}-enters-${allowed.length === 0 ? 'no-other-room' : `only-${allowed.join('-and-')}`}`,
  severity: 'error',
  from: code(room),
  to: { path: oneOf(rooms.filter((name) => name !== room && !allowed.includes(name))), ...except },
});

module.exports = {
  forbidden: [
    enters('domain', []),
    enters('workflows', ['domain', 'activities']),
    enters('activities', ['domain', 'gateways', 'db']),
    enters('gateways', ['domain']),
    enters('db', ['domain']),
    enters('api', ['domain', 'db', 'workflows']),
    // Every process writes its log in the same way.
    enters('workers', ['domain', 'db', 'gateways', 'activities', 'workflows'], { pathNot: '^api/system/log\\.ts$' }),
    // It starts API, workers and sandbox as processes of their own. It fills the demo shop as the command line would, and
    // guards Temporal's Web UI as the sandbox guards itself.
    enters('dev', ['domain', 'db', 'workflows'], {
      pathNot: ['^cli/connection/(client|settings)\\.ts$', '^sandbox/hosts\\.ts$'],
    }),
    enters('sandbox', []),
    // It speaks to the API only, but in the same words; and it has to be built before it can run.
    enters('cli', ['domain'], { pathNot: '^dev/build\\.mjs$' }),
    {
      name: 'workflows-know-activities-by-type-only',
      comment: 'Activities run elsewhere: a workflow that imports one runs it in the workflow.',
      severity: 'error',
      from: code('workflows'),
      to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
    },
    ...['api', 'workers', 'dev'].map((room) => ({
      name: `${room}-knows-of-workflows-only-the-contract`,
      severity: 'error',
      from: code(room),
      to: { path: '^workflows/', pathNot: '/contract\\.ts$' },
    })),
    {
      name: 'dev-prepares-the-database-and-reads-nothing-from-it',
      comment: 'The embedded stack connects, migrates and makes the first API key. Figures come from the API.',
      severity: 'error',
      from: code('dev'),
      to: { path: '^db/', pathNot: '^db/(postgres/client|upgrade/[^/]+|access/api-keys)\\.ts$' },
    },
    {
      name: 'no-saga-imports-another',
      comment:
        'A saga is one folder. It starts another through its contract; what several need stands in shared/, which knows none of them.',
      severity: 'error',
      from: { path: '^workflows/([^/]+)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^workflows/[^/]+/', pathNot: ['^workflows/($1|shared)/', '/contract\\.ts$'] },
    },
    {
      name: 'api-resources-do-not-import-one-another',
      comment:
        'What several resources need stands in a folder that is no resource; and none of those knows a resource.',
      severity: 'error',
      from: { path: '^api/([^/]+)/', pathNot: '\\.(test|fixture)\\.ts$' },
      to: { path: '^api/[^/]+/', pathNot: ['^api/$1/', oneOf(apiParts.map((part) => `api/${part}`))] },
    },
    {
      name: 'domain-is-pure',
      comment:
        'Nothing of Node and no library but those named here, which are tables and arithmetic: neither I/O nor a clock, and it is part of the workflow bundle.',
      severity: 'error',
      from: code('domain'),
      to: { pathNot: [oneOf(rooms), '(^|/)node_modules/(ipaddr\\.js|fastest-levenshtein|luxon)/'] },
    },
    {
      name: 'workflow-bundle-is-deterministic',
      comment:
        'Outside of domain/ the bundle holds nothing but workflows/ and what Temporal made for it: no Zod, no Drizzle, no Postgres, no Node. Since domain/ is pure, this covers whatever the bundle reaches.',
      severity: 'error',
      from: code('workflows'),
      to: { pathNot: [oneOf(rooms), '(^|/)node_modules/@temporalio/(workflow|common)/'] },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: { pathNot: '\\.test\\.ts$' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'nothing-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|\\.holdfast)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
