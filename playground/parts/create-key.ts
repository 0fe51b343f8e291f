/** What makes a key, as the service's own hints name it: how `xpeft` is called depends on where the service runs. */
export const CREATE_KEY = "xpeft keys create --scope predict list learn write";
