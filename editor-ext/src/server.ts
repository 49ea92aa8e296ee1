// Which program is the server.
import { join } from 'node:path';

export type ServerProgram = { path: string } | { missing: string };

/**
 * The setting wins where there is one; otherwise it is the binary inside the extension.
 * @param configured the setting `cellwright.server.path`
 * @param exists whether there is a file at a path
 */
export function serverProgram(configured: string, extensionFolder: string, platform: NodeJS.Platform, exists: (path: string) => boolean): ServerProgram {
  const chosen = configured.trim();
  if (chosen !== '') {
    return exists(chosen) ? { path: chosen } : { missing: `The setting "cellwright.server.path" names ${chosen}, but there is no such file.` };
  }
  const bundled = join(extensionFolder, 'bin', platform === 'win32' ? 'cellwright.exe' : 'cellwright');
  if (exists(bundled)) return { path: bundled };
  return {
    missing: `This build of the extension has no server for ${platform}. Build it with "cargo build --release -p cellwright" and set "cellwright.server.path" to it.`,
  };
}
