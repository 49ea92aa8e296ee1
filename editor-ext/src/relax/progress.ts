// A fraction of the whole, as the increments in percent that VS Code's progress bar wants.

/** Gives the increment for each new fraction; a fraction that goes back gives none. */
export function increments(): (fraction: number | undefined) => number | undefined {
  let shown = 0;
  return (fraction) => {
    if (fraction === undefined || Number.isNaN(fraction)) return undefined;
    const percent = 100 * Math.min(1, Math.max(0, fraction));
    const increment = Math.max(0, percent - shown);
    shown += increment;
    return increment;
  };
}
