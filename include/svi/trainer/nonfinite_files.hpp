#pragma once

#include <string>

#include "svi/trainer/observer.hpp"

namespace svi::trainer {

/// Writes which rows were in the minibatch of a step that was not finite, one small JSON file for each such
/// step in the run directory: `nonfinite-step-<step>.json`. **Root-only.**
class NonfiniteFiles : public Observer {
 public:
  explicit NonfiniteFiles(std::string run_directory) : run_directory_(std::move(run_directory)) {}
  void on_nonfinite(const NonfiniteRecord& record) override;

 private:
  std::string run_directory_;
};

}  // namespace svi::trainer
