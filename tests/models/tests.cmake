svi_test(models
  SOURCES models/contract_test.cpp models/lda_e_step_test.cpp models/lda_inference_test.cpp models/lda_test.cpp
    models/vae_test.cpp models/vae_network_test.cpp
  LIBRARIES svi_models svi_optim svi_config TIMEOUT 600)
target_include_directories(test_models PRIVATE ${PROJECT_SOURCE_DIR}/src)  # the E-step is no public header

svi_test(models_layers
  SOURCES models/activation_test.cpp models/linear_product_test.cpp models/matrix_kernel_test.cpp
  LIBRARIES svi_models)
target_include_directories(test_models_layers PRIVATE ${PROJECT_SOURCE_DIR}/src)

svi_test(models_shared SOURCES models/lda_shared_test.cpp LIBRARIES svi_models svi_optim svi_config)
target_include_directories(test_models_shared PRIVATE ${PROJECT_SOURCE_DIR}/src)

svi_test(models_collapsed SOURCES models/lda_collapsed_test.cpp LIBRARIES svi_models svi_optim svi_config)
target_include_directories(test_models_collapsed PRIVATE ${PROJECT_SOURCE_DIR}/src)

svi_test(models_use SOURCES models/lda_transform_test.cpp models/topic_words_test.cpp
  LIBRARIES svi_models svi_optim svi_config)

svi_test(models_evaluation SOURCES models/lda_evaluation_test.cpp LIBRARIES svi_models svi_optim svi_config)
target_include_directories(test_models_evaluation PRIVATE ${PROJECT_SOURCE_DIR}/src)

svi_test(models_priors SOURCES models/lda_priors_test.cpp LIBRARIES svi_models svi_optim svi_config)
target_include_directories(test_models_priors PRIVATE ${PROJECT_SOURCE_DIR}/src)

svi_test(models_vae_objective SOURCES models/vae_bounds_test.cpp models/vae_objective_test.cpp
  LIBRARIES svi_models svi_optim svi_config)
target_include_directories(test_models_vae_objective PRIVATE ${PROJECT_SOURCE_DIR}/src)

svi_test(models_vae_likelihood SOURCES models/vae_likelihood_test.cpp LIBRARIES svi_models svi_optim svi_config)
target_include_directories(test_models_vae_likelihood PRIVATE ${PROJECT_SOURCE_DIR}/src)

svi_test(models_latent SOURCES models/vae_use_test.cpp LIBRARIES svi_models svi_optim svi_config)
target_include_directories(test_models_latent PRIVATE ${PROJECT_SOURCE_DIR}/src)  # vae.hpp is no public header

svi_test(models_picture SOURCES models/convolution_test.cpp models/vae_picture_test.cpp
  LIBRARIES svi_models svi_optim svi_config)
target_include_directories(test_models_picture PRIVATE ${PROJECT_SOURCE_DIR}/src)  # networks are no public header

svi_test(models_vae_collapse SOURCES models/vae_collapse_test.cpp LIBRARIES svi_models svi_optim svi_config)
target_include_directories(test_models_vae_collapse PRIVATE ${PROJECT_SOURCE_DIR}/src)

svi_test(models_m2 SOURCES models/m2_test.cpp LIBRARIES svi_models svi_optim svi_config)
