svi_test(distributions
  SOURCES distributions/dirichlet_test.cpp distributions/gaussian_test.cpp distributions/likelihood_test.cpp
    distributions/likelihood_forms_test.cpp
  LIBRARIES svi_distributions)
