/** What people and programs are shown of a speaker: documents over a socket, metrics, message dumps. */

export { answerBgp, type BgpAnswer, type BgpSource, type SpeakerView } from "./answer.ts";
export type * from "./documents.ts";
export { speakerMetrics } from "./metrics.ts";
export { endDocument } from "./peer-document.ts";
export { sendAnswer } from "./send.ts";
