// Words that several commands need.

/** The beginning of a message that is too long for a notification. */
export function brief(message: string, limit = 140): string {
  if (message.length <= limit) return message;
  const cut = message.lastIndexOf(' ', limit - 2);
  return `${message.slice(0, cut > 0 ? cut : limit - 2)} …`;
}

/** As a sentence. */
export const ended = (sentence: string): string => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`);
