import type { CallOptions } from '../http/http.js';

/** Sends mail. Every attempt of one mail has the same `messageId`, so that the receiver can drop a second copy. */
export interface MailGateway {
  /** Resolves when the mail server has accepted the mail; throws a GatewayFault if it does not. Mails carry no trace. */
  send(mail: Mail, options?: CallOptions): Promise<void>;
  close(): void;
}

export interface Mail {
  readonly messageId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}
