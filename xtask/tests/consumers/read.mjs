// Reads every report below a folder as its consumer would: node read.mjs FOLDER. In FOLDER there is a folder for each grade, and
// in it a file for each format. Prints, as JSON, the score that was found in each: "7/25", or "none". What no consumer would
// accept ends it with an error.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import Ajv from "ajv/dist/2020.js";
import { parse as parseCtrf, validateStrict } from "ctrf";
import { parse as parseJunit } from "junit2json";

const here = dirname(fileURLToPath(import.meta.url));
const ajv = new Ajv({ allErrors: true, strictRequired: false });

function fits(schema, value) {
  const validate = ajv.getSchema(schema) ?? ajv.compile({ $id: schema, ...JSON.parse(readFileSync(join(here, schema))) });
  assert.ok(validate(value), `${schema}: ${ajv.errorsText(validate.errors)}`);
  return value;
}

const sum = (tests, key) => tests.reduce((sum, test) => sum + Number(test[key]), 0);
const slashed = (score, max) => (score === undefined ? "none" : `${score}/${max}`);

// Where there is a sum, it is the sum of its parts.
function summed(score, max, tests, scoreKey, maxKey) {
  assert.equal(score, sum(tests, scoreKey));
  assert.equal(max, sum(tests, maxKey));
  return slashed(score, max);
}

const consumers = {
  json(text) {
    const verdict = fits("verdict.schema.json", JSON.parse(text));
    return slashed(verdict.score, verdict.max_score);
  },

  async junit(text) {
    const suites = await parseJunit(text);
    const cases = suites.testsuite.flatMap((suite) => suite.testcase ?? []);
    assert.equal(suites.tests, cases.length);
    assert.equal(suites.failures, cases.filter((test) => test.failure).length);
    assert.equal(suites.errors, cases.filter((test) => test.error).length);
    assert.equal(suites.skipped, cases.filter((test) => test.skipped).length);
    assert.equal(new Set(cases.map((test) => test.name)).size, cases.length, "readers drop names that come twice");
    const properties = cases.flatMap((test) => test.properties ?? []).flatMap((group) => group.property ?? group);
    if (properties.length === 0) return "none";
    const points = (name) => sum(properties.filter((property) => property.name === name), "value");
    return slashed(points("score"), points("max_score"));
  },

  gradescope(text) {
    const results = fits("gradescope.schema.json", JSON.parse(text));
    return results.tests ? summed(results.score, results.extra_data.max_score, results.tests, "score", "max_score") : "none";
  },

  classroom50(text) {
    if (text === "") return "none";
    const result = fits("classroom50.schema.json", JSON.parse(text));
    assert.ok(result.tests.every((test) => test.score <= test["max-score"]) && result.score <= result["max-score"]);
    return summed(result.score, result["max-score"], result.tests, "score", "max-score");
  },

  // The reporter's own reckoning: a runner without points is left out of the sum, and every runner of its own counts.
  "github-classroom"(text) {
    const outputs = text.trimEnd().split("\n").map((line) => line.split(/=(.*)/s));
    const runners = outputs.map(([name, value]) => {
      return [name, fits("github-classroom.schema.json", JSON.parse(Buffer.from(value, "base64").toString("utf8")))];
    });
    const reckon = (runners) => {
      const counted = runners.filter((runner) => runner.max_score > 0);
      if (counted.length === 0) return "none";
      return slashed(counted.reduce((total, runner) => total + sum(runner.tests, "score"), 0), sum(counted, "max_score"));
    };
    const [[first, all], ...each] = runners;
    assert.equal(first, "result");
    if (each.length > 0) assert.equal(reckon(each.map(([, runner]) => runner)), reckon([all]));
    return reckon([all]);
  },

  ctrf(text) {
    const report = fits("ctrf.schema.json", parseCtrf(text));
    validateStrict(report);
    const { summary, tests, extra } = report.results;
    assert.equal(summary.tests, summary.passed + summary.failed + summary.skipped + summary.pending + summary.other);
    assert.equal(summary.tests, tests.length);
    if (extra.score === undefined) return "none";
    return summed(extra.score, extra.max_score, tests.flatMap((test) => test.extra ?? []), "score", "max_score");
  },

  prairielearn(text) {
    assert.ok(text.length < 1e6);
    const results = fits("prairielearn.schema.json", JSON.parse(text));
    if (!results.gradable) return "none";
    const [points, max] = [sum(results.tests, "points"), sum(results.tests, "max_points")];
    assert.equal(results.score, points / max);
    return slashed(points, max);
  },
};

const found = {};
for (const grade of readdirSync(process.argv[2])) {
  found[grade] = {};
  for (const [format, read] of Object.entries(consumers)) {
    try {
      found[grade][format] = await read(readFileSync(join(process.argv[2], grade, format), "utf8"));
    } catch (error) {
      error.message = `${grade} ${format}: ${error.message}`;
      throw error;
    }
  }
}
console.log(JSON.stringify(found, null, 2));
