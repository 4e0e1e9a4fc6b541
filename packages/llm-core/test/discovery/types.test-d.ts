import { expectTypeOf, test } from "vitest";

import {
  discover,
  type DiscoverOptions,
  generateStaticImports,
  type InstalledDiscovery,
  type InstalledPlugin,
  type StaticImportsOptions,
} from "../../src/discovery.ts";
import {
  createRegistry,
  type Discovery,
  type PluginCandidate,
  type RegistryOptions,
} from "../../src/index.ts";

test("discovery takes a path or a URL and optional lists", () => {
  expectTypeOf(discover).toEqualTypeOf<(options?: DiscoverOptions) => Promise<InstalledDiscovery>>();
  expectTypeOf<DiscoverOptions["from"]>().toEqualTypeOf<string | URL | undefined>();
  expectTypeOf<DiscoverOptions["allow"]>().toEqualTypeOf<readonly string[] | undefined>();
  // @ts-expect-error: a pattern is no name
  void discover({ deny: [/acme/] });
  // @ts-expect-error: there is no such option
  void discover({ scan: true });
});

test("what discovery finds goes into a registry", () => {
  expectTypeOf<InstalledDiscovery>().toExtend<Discovery>();
  expectTypeOf<InstalledPlugin>().toExtend<PluginCandidate>();
  expectTypeOf<InstalledDiscovery>().toExtend<NonNullable<RegistryOptions["discovery"]>>();
  expectTypeOf(createRegistry).toBeCallableWith({ discovery: {} as InstalledDiscovery });
  expectTypeOf<ReturnType<PluginCandidate["load"]>>().toEqualTypeOf<Promise<unknown>>();
});

test("the generator needs what discovery found on this machine, and gives text", () => {
  expectTypeOf(generateStaticImports).toEqualTypeOf<
    (found: InstalledDiscovery, options: StaticImportsOptions) => string
  >();
  expectTypeOf<StaticImportsOptions>().toEqualTypeOf<{ readonly outFile: string | URL }>();
});
