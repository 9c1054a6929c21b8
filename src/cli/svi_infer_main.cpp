#include "svi/cli/infer.hpp"

int main(int count, char** arguments) { return svi::cli::infer_main(count, arguments); }
