// A Vitest reporter: no test is skipped in silence. At the end it says which were, and why.
export default class {
  onTestRunEnd(modules) {
    const reasons = new Map();
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        const reason = test.result().note ?? "skipped by its own condition";
        reasons.set(reason, [...(reasons.get(reason) ?? []), `${module.project.name}: ${test.fullName}`]);
      }
    }
    for (const [reason, tests] of reasons) {
      console.log(`skipped (${tests.length}): ${reason}\n${tests.map((test) => `  ${test}`).join("\n")}`);
    }
  }
}
