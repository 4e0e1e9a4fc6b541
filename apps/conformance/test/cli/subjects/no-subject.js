export default { package: new URL("package.json", import.meta.url), plugin: {}, settings: () => ({}) };
