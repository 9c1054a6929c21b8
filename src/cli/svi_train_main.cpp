#include "svi/cli/train.hpp"

int main(int count, char** arguments) { return svi::cli::train_main(count, arguments); }
