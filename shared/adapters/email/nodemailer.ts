/** Loaded for the first e-mail, because most processes send none. */
export { createTransport } from 'nodemailer';
