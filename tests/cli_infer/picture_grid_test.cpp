#include "cli/picture_grid.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/instance.hpp"

namespace svi::cli {
namespace {

class PictureGrids : public ::testing::Test {
 protected:
  PictureGrids()
      : instance_("vae", {"latent=3", "encoder=[7]", "decoder=[8]"},
                  {.training_rows = 10, .feature_shape = {4, 4}}, at::kDouble),
        means_(model().encode(parameters(), test::synthetic(false, 16, 0, 4), Philox(1)).mean) {}

  LatentModel& model() { return dynamic_cast<LatentModel&>(*instance_.model); }
  const ParameterSet& parameters() const { return instance_.state.parameters; }
  Tensor picture(const Tensor& z) { return model().decode(parameters(), z.view({1, 3}))[0]; }

  // Other rows in the product may round differently.
  static void expect_equal(const Tensor& a, const Tensor& b) {
    EXPECT_TRUE(at::allclose(a, b, 1e-12, 1e-14));
  }

  test::Instance instance_;
  Tensor means_;
};

TEST_F(PictureGrids, InterpolationsGoFromReconstructionToReconstruction) {
  constexpr std::int64_t steps = 5;
  const Tensor lines = interpolation(model(), parameters(), means_, steps);
  ASSERT_EQ(lines.sizes(), (std::vector<std::int64_t>{2 * steps, 16}));
  for (std::int64_t pair = 0; pair < 2; ++pair) {
    const Tensor from = means_[2 * pair];
    const Tensor to = means_[2 * pair + 1];
    expect_equal(lines[pair * steps], picture(from));
    expect_equal(lines[pair * steps + 1], picture(0.75 * from + 0.25 * to));
    expect_equal(lines[(pair + 1) * steps - 1], picture(to));
    EXPECT_FALSE(at::allclose(picture(from), picture(to)));
  }
}

TEST_F(PictureGrids, TraversalsChangeOneDimension) {
  const Tensor lines = traversal(model(), parameters(), means_[1], {2, 0}, 3, 7);
  ASSERT_EQ(lines.sizes(), (std::vector<std::int64_t>{14, 16}));
  for (std::int64_t line = 0; line < 2; ++line) {
    for (std::int64_t step = 0; step < 7; ++step) {
      Tensor z = means_[1].clone();
      z[line == 0 ? 2 : 0] = static_cast<double>(step - 3);
      expect_equal(lines[line * 7 + step], picture(z));
    }
  }
}

}  // namespace
}  // namespace svi::cli
