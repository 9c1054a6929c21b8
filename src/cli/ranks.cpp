#include "svi/cli/ranks.hpp"

#include <fmt/format.h>

#include <exception>
#include <memory>

#include "svi/cli/standard_streams.hpp"
#include "svi/comm/launch.hpp"

namespace svi::cli {

namespace {

void tell(const std::string& program, const comm::Communicator* communicator, const char* message,
          bool is_agreed) {
  const bool names_rank = communicator != nullptr && communicator->size() > 1 && !is_agreed;
  if (is_agreed && communicator != nullptr && communicator->rank() != 0) return;
  const std::string rank = names_rank ? fmt::format("rank {}: ", communicator->rank()) : "";
  tell_error(program, rank + message);
}

// A rank that died meanwhile must not turn an orderly end into a crash.
int leave_together(comm::Communicator& communicator, ExitCode code) {
  try {
    communicator.close();
    comm::finish();
  } catch (const Error& error) {
    tell_line(error.what());
    communicator.abort(code == ExitCode::done ? error.code() : code);
  }
  return static_cast<int>(code);
}

// What failed alone may leave others waiting: they are ended with the same code.
int leave_alone(const std::string& program, comm::Communicator* communicator, ExitCode code,
                const char* message) {
  tell(program, communicator, message, false);
  if (communicator != nullptr && communicator->size() > 1) communicator->abort(code);
  return communicator != nullptr ? leave_together(*communicator, code) : static_cast<int>(code);
}

}  // namespace

int run_on_ranks(const std::string& program, double timeout_seconds,
                 const std::function<ExitCode(comm::Communicator&)>& action) {
  std::unique_ptr<comm::Communicator> communicator;
  try {
    communicator = comm::launch(std::chrono::duration<double>(timeout_seconds));
    const ExitCode code = action(*communicator);
    return leave_together(*communicator, code);
  } catch (const AgreedError& error) {
    tell(program, communicator.get(), error.what(), true);
    return communicator ? leave_together(*communicator, error.code()) : static_cast<int>(error.code());
  } catch (const Error& error) {
    return leave_alone(program, communicator.get(), error.code(), error.what());
  } catch (const std::exception& error) {
    return leave_alone(program, communicator.get(), ExitCode::internal, error.what());
  }
}

}  // namespace svi::cli
