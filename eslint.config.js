// The rules that the scripts keep: `make lint`.
import js from "@eslint/js";
import globals from "globals";

const WORKERS = ["lms/static/decoding-worker.js", "lms/static/offline-worker.js", "lms/static/session-worker.js"];
const PATTERN = "[source][source.value!=/^\\.\\/[a-z_]+\\.js$/]";

// The scripts are served from one folder, without a build step, to browsers of the last five years.
const forPages = {
  "no-restricted-syntax": [
    "error",
    { selector: `ImportDeclaration${PATTERN}`, message: "Import a script as \"./name.js\"." },
    { selector: `ExportNamedDeclaration${PATTERN}`, message: "Export from a script as \"./name.js\"." },
    { selector: "ImportExpression", message: "Import at the top: a device has to know which files it keeps." },
    { selector: "AssignmentExpression[left.property.name=/^(inner|outer)HTML$/]", message: "Set textContent." },
    { selector: "CallExpression[callee.property.name='insertAdjacentHTML']", message: "Append elements." },
  ],
};

const strict = {
  "arrow-body-style": "error",
  complexity: ["error", 12],
  "consistent-return": "error",
  curly: ["error", "multi-line"],
  "default-case-last": "error",
  eqeqeq: "error",
  "max-len": ["error", { code: 120 }],
  "max-lines": ["error", 250],
  "no-alert": "error",
  "no-console": "error",
  "no-duplicate-imports": "error",
  "no-else-return": "error",
  "no-eval": "error",
  "no-implicit-coercion": "error",
  "no-implicit-globals": "error",
  "no-implied-eval": "error",
  "no-lonely-if": "error",
  "no-new-func": "error",
  "no-param-reassign": "error",
  "no-promise-executor-return": "error",
  "no-self-compare": "error",
  "no-shadow": "error",
  "no-template-curly-in-string": "error",
  "no-unneeded-ternary": "error",
  "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
  "no-use-before-define": ["error", { functions: false }],
  "no-useless-concat": "error",
  "no-useless-rename": "error",
  "no-useless-return": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-arrow-callback": "error",
  "prefer-const": "error",
  "prefer-object-spread": "error",
  "prefer-promise-reject-errors": "error",
  "prefer-rest-params": "error",
  "prefer-spread": "error",
  "prefer-template": "error",
  radix: "error",
  "require-unicode-regexp": "error",
  yoda: "error",
};

export default [
  { ignores: ["instance/", ".venv/"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2023, sourceType: "module" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: strict,
  },
  {
    files: ["lms/static/*.js"],
    languageOptions: { globals: globals.browser },
    rules: forPages,
  },
  {
    files: WORKERS,
    languageOptions: {
      sourceType: "script",
      globals: { ...globals.serviceworker, RELEASE: "readonly", ZXingWASM: "readonly" },
    },
    rules: { "no-implicit-globals": "off" }, // a worker has its global scope to itself
  },
  {
    files: ["tests/**/*.test.js"],
    languageOptions: { globals: globals.node },
  },
];
