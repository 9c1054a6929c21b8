#pragma once

namespace svi::cli {

/// `svi-train config.yaml`: parses, builds, runs; returns the documented exit code. **Collective.**
int train_main(int count, char** arguments);

}  // namespace svi::cli
