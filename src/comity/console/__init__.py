"""The door for officers: pages that work without JavaScript, and live counters beside them."""
