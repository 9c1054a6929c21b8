#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "svi/base/error.hpp"

namespace svi::config {

/// Expects an Error with this code whose message contains every piece; returns the message.
inline std::string expect_error(ExitCode code, const std::vector<std::string>& pieces,
                                const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << message;
    for (const std::string& piece : pieces) {
      EXPECT_NE(message.find(piece), std::string::npos) << "no \"" << piece << "\" in: " << message;
    }
    return message;
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

}  // namespace svi::config
