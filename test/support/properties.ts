import fc from "fast-check";

// Generates values up to a property's maximum size. By default fast-check stays near ten items, whatever the maximum.
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });
