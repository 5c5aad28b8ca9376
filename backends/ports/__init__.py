"""The ports that the harness ships: `<backend>/<workload>`, laid out as a user's own folder is."""
