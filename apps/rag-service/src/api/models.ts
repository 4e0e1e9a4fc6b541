import { requireOperation } from "@enginehouse/llm-core";
import { createRoute, z } from "@hono/zod-openapi";

import { listCatalogue } from "../catalogue.ts";
import { listDiagnostics, listProviders, probe } from "../providers.ts";
import type { Service } from "../service.ts";
import { resolveTargets, type TargetOrder } from "../targets.ts";
import { notFound, toProblem } from "./problem.ts";
import { body, createRouter, failures, IdParam, reply } from "./routing.ts";
import {
  ActiveSettingsPutSchema,
  ActiveSettingsSchema,
  HealthSchema,
  JobAcceptedSchema,
  ModelDownloadSchema,
  ModelListSchema,
  ModelLoadedSchema,
  ModelRefSchema,
  ModelsAvailableSchema,
  ProviderListSchema,
} from "./schemas.ts";

export function modelRoutes(service: Service) {
  const { registry, models, downloads, active, settings } = service;
  return createRouter()
    .openapi(
      createRoute({
        method: "get",
        path: "/api/v1/providers",
        summary: "The providers that were found, and why others were not used",
        responses: { 200: reply(ProviderListSchema, "With their health."), ...failures },
      }),
      async (context) => {
        const providers = await listProviders(registry, settings.config);
        return context.json(
          {
            providers,
            diagnostics: listDiagnostics(registry, settings.config),
            configFile: settings.config.file,
          },
          200,
        );
      },
    )
    .openapi(
      createRoute({
        method: "post",
        path: "/api/v1/providers/{id}/probe",
        summary: "Ask a provider again whether it can be used",
        request: { params: IdParam },
        responses: { 200: reply(HealthSchema, "Its health now."), ...failures },
      }),
      async (context) => {
        const { id } = context.req.valid("param");
        if (!registry.names().includes(id))
          throw notFound("provider", id, `There are: ${registry.names().join(", ")}.`);
        models.refresh();
        return context.json(await probe(registry, id, context.req.raw.signal), 200);
      },
    )
    .openapi(
      createRoute({
        method: "get",
        path: "/api/v1/models",
        summary: "Models that are here, and real ones that can be fetched",
        request: { query: z.object({ refresh: z.enum(["true", "false"]).optional() }) },
        responses: { 200: reply(ModelListSchema, "Over all providers."), ...failures },
      }),
      async (context) => {
        if (context.req.valid("query").refresh === "true") models.refresh();
        const { models: all, problems } = await models.list();
        const [first] = await resolveTargets(models, {}, await active.read());
        return context.json(
          {
            models: [...all],
            catalogue: listCatalogue(registry, settings.config, all),
            ...(first === undefined ? {} : { active: first }),
            modelsFolder: settings.modelsDir,
            problems: problems.map(toProblem),
          },
          200,
        );
      },
    )
    .openapi(
      createRoute({
        method: "get",
        path: "/api/models/available",
        summary: "Models by backend",
        responses: {
          200: reply(ModelsAvailableSchema, "What each has, and what it can fetch."),
          ...failures,
        },
      }),
      async (context) => {
        const [{ models: all, problems }, providers] = await Promise.all([
          models.list(),
          listProviders(registry, settings.config),
        ]);
        const catalogue = listCatalogue(registry, settings.config, all);
        const backends = providers.map(({ id, package: name, operations, health }) => {
          const problem = problems.find((one) => one.provider === id);
          return {
            backend: id,
            info: { ...(name === undefined ? {} : { package: name }), operations, health },
            models: catalogue.filter((entry) => entry.backend === id),
            installed: all.filter((model) => model.providerId === id && model.installed),
            ...(problem === undefined ? {} : { problem: toProblem(problem) }),
          };
        });
        return context.json({ backends }, 200);
      },
    )
    .openapi(
      createRoute({
        method: "post",
        path: "/api/models/download",
        summary: "Fetch a model",
        request: body(ModelDownloadSchema),
        responses: { 202: reply(JobAcceptedSchema, "As a job with progress."), ...failures },
      }),
      async (context) => {
        const { id } = await downloads.start(context.req.valid("json"));
        return context.json({ jobId: id, status: "queued" as const }, 202);
      },
    )
    .openapi(
      createRoute({
        method: "post",
        path: "/api/v1/models/load",
        summary: "Load a model into memory",
        request: body(ModelRefSchema),
        responses: { 200: reply(ModelLoadedSchema, "With the window that is really in force."), ...failures },
      }),
      async (context) => {
        const { ref } = context.req.valid("json");
        const { provider, model } = await registry.resolve(ref);
        const load = requireOperation(provider, "load");
        const { contextWindow, memoryBytes } = await load({ model }, { signal: context.req.raw.signal });
        models.refresh();
        const known = {
          ...(contextWindow === undefined ? {} : { contextWindow }),
          ...(memoryBytes === undefined ? {} : { memoryBytes }),
        };
        return context.json({ ref, loaded: true, ...known }, 200);
      },
    )
    .openapi(
      createRoute({
        method: "post",
        path: "/api/v1/models/unload",
        summary: "Free a model's memory",
        request: body(ModelRefSchema),
        responses: { 200: reply(ModelLoadedSchema, "It is not loaded any more."), ...failures },
      }),
      async (context) => {
        const { ref } = context.req.valid("json");
        const { provider, model } = await registry.resolve(ref);
        await requireOperation(provider, "unload")(model, { signal: context.req.raw.signal });
        models.refresh();
        return context.json({ ref, loaded: false }, 200);
      },
    )
    .openapi(
      createRoute({
        method: "get",
        path: "/api/v1/settings/active",
        summary: "Who answers",
        responses: { 200: reply(ActiveSettingsSchema, "The choice, and what follows from it."), ...failures },
      }),
      async (context) => context.json(await presentActive(service, await active.read()), 200),
    )
    .openapi(
      createRoute({
        method: "put",
        path: "/api/v1/settings/active",
        summary: "Choose who answers, from the next question on",
        request: body(ActiveSettingsPutSchema),
        responses: { 200: reply(ActiveSettingsSchema, "The choice, and what follows from it."), ...failures },
      }),
      async (context) => {
        const wanted = context.req.valid("json");
        const before = await active.read();
        const order = wanted.order ?? before.order;
        const model = wanted.model === undefined ? before.model : (wanted.model ?? undefined);
        for (const ref of wanted.order ?? []) await models.find(ref);
        if (wanted.model !== undefined && model !== undefined) await models.find(model);
        const now = model === undefined ? { order } : { model, order };
        await active.write(now);
        return context.json(await presentActive(service, now), 200);
      },
    );
}

async function presentActive({ models }: Service, { model, order }: TargetOrder) {
  const [resolved, embedder] = await Promise.all([
    resolveTargets(models, {}, { model, order }),
    models.embedderChoice(),
  ]);
  return {
    ...(model === undefined ? {} : { model }),
    order: [...order],
    resolved,
    ...(embedder === undefined ? {} : { embedder }),
  };
}
