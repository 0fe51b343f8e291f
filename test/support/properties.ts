import fc from "fast-check";

// What a property says is the longest is drawn too: by itself fast-check draws ten or so of anything, whatever is allowed.
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });
