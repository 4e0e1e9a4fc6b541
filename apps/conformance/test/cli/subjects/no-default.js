export const subject = {};
