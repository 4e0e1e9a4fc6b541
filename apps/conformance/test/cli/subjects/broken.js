throw new Error("it has a fault of its own");
