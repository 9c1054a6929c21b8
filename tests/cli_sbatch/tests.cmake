svi_test(cli_sbatch SOURCES cli_sbatch/sbatch_test.cpp LIBRARIES svi_cli)
