import { Monitor, Moon, Sun } from "lucide-react";
import { useState } from "react";

const KEY = "enginehouse.theme";
const themes = { system: Monitor, light: Sun, dark: Moon };
type Theme = keyof typeof themes;
const following: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const labels: Readonly<Record<Theme, string>> = { system: "system", light: "light", dark: "dark" };

export function ThemeSwitch() {
  const [theme, setTheme] = useState(readTheme);
  const Icon = themes[theme];

  function change(): void {
    const next = following[theme];
    if (next === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = next;
    try {
      if (next === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, next);
    } catch {
      // Not remembered then; it holds until the page is left.
    }
    setTheme(next);
  }

  return (
    <button type="button" className="rail-item" onClick={change} title="Change the theme">
      <Icon className="icon" aria-hidden />
      <span>
        Theme<span className="theme-name">: {labels[theme]}</span>
      </span>
    </button>
  );
}

function readTheme(): Theme {
  const theme = document.documentElement.dataset["theme"];
  return theme === "light" || theme === "dark" ? theme : "system";
}
