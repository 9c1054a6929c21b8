// What svi-train draws on a terminal, a real one as far as it can tell.
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "svi/cli/text.hpp"
#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

constexpr std::string_view erase = "\x1b[K";
const std::string redraw = "\r" + std::string(erase);

class Terminal : public RunFolder {
 protected:
  // All that the run writes to a terminal of so many columns.
  static std::string on_terminal(int columns, const std::vector<std::string>& arguments) {
    const winsize size{
        .ws_row = 30, .ws_col = static_cast<unsigned short>(columns), .ws_xpixel = 0, .ws_ypixel = 0};
    int terminal = -1;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
    if (child == 0) {
      std::vector<char*> list;
      for (const std::string& argument : arguments) list.push_back(const_cast<char*>(argument.c_str()));
      list.push_back(nullptr);
      execv(list[0], list.data());
      _exit(127);
    }
    std::string text;
    char block[4096];
    for (ssize_t count = 0; (count = read(terminal, block, sizeof block)) > 0;)
      text.append(block, static_cast<std::size_t>(count));
    int status = 0;
    waitpid(child, &status, 0);
    close(terminal);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << text;
    return text;
  }

  // What was drawn and said while the run went on, each piece at the beginning of a line of the terminal.
  static std::vector<std::string> pieces_of(const std::string& text) {
    std::size_t place = text.find(redraw);
    const std::size_t end = text.find("done at step");
    EXPECT_LT(place, end) << text;
    std::vector<std::string> pieces;
    while (place < end) {
      place = text.find_first_not_of("\r\n", place);
      if (text.compare(place, erase.size(), erase) == 0) place += erase.size();
      const std::size_t next = std::min(text.find_first_of("\r\n", place), end);
      if (next > place) pieces.push_back(text.substr(place, next - place));
      place = next;
    }
    return pieces;
  }

  void expect_fit(const std::string& config, const std::string& figure) {
    for (const int columns : {60, 80, 120}) {
      SCOPED_TRACE(columns);
      const std::string run_directory = folder_ / fmt::format("run{}", columns);
      const auto pieces = pieces_of(
          on_terminal(columns, {SVI_BINARY_DIR "/svi-train", config, "--run-dir", run_directory, "--set",
                                "train.steps=20000", "--set", "checkpoint.every_steps=0", "--set",
                                "evaluation.every_steps=5000", "--set", "run.log_every_steps=10"}));
      for (const std::string& piece : pieces)
        EXPECT_LT(cli::width_of(piece), static_cast<std::size_t>(columns)) << piece;
      const auto count = [&](const std::string& part) {
        return std::count_if(pieces.begin(), pieces.end(),
                             [&](const std::string& piece) { return piece.find(part) != piece.npos; });
      };
      EXPECT_GT(count(" %  "), 1);
      EXPECT_GT(count(" left"), 0);
      EXPECT_EQ(count(" rows/s") > 0, columns == 120);
      EXPECT_GT(count("validation step"), 1);
      EXPECT_GT(count(figure), 1);  // in the lines of the validation, whatever the width
    }
  }
};

TEST_F(Terminal, TheLinesOfATopicModelFit) { expect_fit(lda(), "diversity "); }

TEST_F(Terminal, TheLinesOfAVaeFit) { expect_fit(vae(), "active "); }

}  // namespace
}  // namespace svi::test
