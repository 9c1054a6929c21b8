// Convolutional networks against loops written down from the definition, in float64.
#include "models/convolutional_network.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "models/differences.hpp"

namespace svi {
namespace {

constexpr std::int64_t batch = 3;

Tensor keyed(const std::vector<std::int64_t>& sizes, std::uint64_t number) {
  const Tensor values = at::empty(sizes, at::kDouble);
  Philox(5).fill_normal({values.data_ptr<double>(), static_cast<std::size_t>(values.numel())},
                        Purpose::test_data, 0, number);
  return values;
}

ParameterSet keyed_parameters(const std::vector<ParameterShape>& shapes) {
  ParameterSet parameters(shapes, at::kDouble);
  for (std::size_t i = 0; i < shapes.size(); ++i) parameters.view(i).copy_(keyed(shapes[i].shape, 100 + i));
  return parameters;
}

struct Case {
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t kernel;
  std::int64_t stride;
};

void PrintTo(const Case& given, std::ostream* out) {
  *out << fmt::format("{}x{} kernel {} stride {}", given.rows, given.columns, given.kernel, given.stride);
}

class Convolutions : public testing::TestWithParam<Case> {
 protected:
  static constexpr std::int64_t channels = 2;
  static constexpr std::int64_t maps = 3;

  ConvolutionalForm form() const {
    const Case& given = GetParam();
    ConvolutionOptions options{.channels = {maps}, .kernels = {given.kernel}, .strides = {given.stride}};
    MlpOptions layers;
    layers.activation = "tanh";
    return {plan_convolutions(options, {given.rows, given.columns, channels}), 0, layers};
  }
  std::int64_t pixels() const { return GetParam().rows * GetParam().columns; }
  std::int64_t small_rows() const { return GetParam().rows / GetParam().stride; }
  std::int64_t small_columns() const { return GetParam().columns / GetParam().stride; }

  // Calls visit(large row, large column, small row, small column, kernel row, kernel column) for all that
  // meet: large = stride · small + kernel − padding.
  template <typename Visit>
  void for_each_meeting(const Visit& visit) const {
    const auto [rows, columns, kernel, stride] = GetParam();
    const std::int64_t padding = (kernel - stride) / 2;
    for (std::int64_t r = 0; r < small_rows(); ++r)
      for (std::int64_t c = 0; c < small_columns(); ++c)
        for (std::int64_t i = 0; i < kernel; ++i)
          for (std::int64_t j = 0; j < kernel; ++j) {
            const std::int64_t row = r * stride + i - padding;
            const std::int64_t column = c * stride + j - padding;
            if (row >= 0 && row < rows && column >= 0 && column < columns) visit(row, column, r, c, i, j);
          }
  }
};

TEST_P(Convolutions, EncoderIsTheSumOverWindows) {
  ConvolutionalEncoder encoder(form(), {}, 4);
  const ParameterSet parameters = keyed_parameters(encoder.parameter_shapes());
  const Tensor x = keyed({batch, pixels() * channels}, 1);
  const Tensor found = encoder.forward(parameters, x);

  const Tensor weight = parameters["encoder.convolution.0/weight"];
  const auto w = weight.accessor<double, 4>();
  const auto picture = x.accessor<double, 2>();
  const Tensor sums = at::zeros({batch, small_rows(), small_columns(), maps}, at::kDouble);
  auto s = sums.accessor<double, 4>();
  for_each_meeting([&](auto row, auto column, auto r, auto c, auto i, auto j) {
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t m = 0; m < maps; ++m)
        for (std::int64_t ch = 0; ch < channels; ++ch)
          s[b][r][c][m] += w[m][ch][i][j] * picture[b][(row * GetParam().columns + column) * channels + ch];
  });
  const Tensor seen = at::tanh(sums + parameters["encoder.convolution.0/bias"]).view({batch, -1});
  const Tensor expected = at::addmm(parameters["encoder.0/bias"], seen, parameters["encoder.0/weight"].t());
  EXPECT_TRUE(at::allclose(found, expected, 1e-12, 1e-12));
}

TEST_P(Convolutions, DecoderSpreadsEachPixelOverItsWindow) {
  ConvolutionalDecoder decoder(form(), 4, {}, {});
  const ParameterSet parameters = keyed_parameters(decoder.parameter_shapes());
  const Tensor z = keyed({batch, 4}, 1);
  const Tensor found = decoder.forward(parameters, z);

  const Tensor small =
      at::tanh(at::addmm(parameters["decoder.0/bias"], z, parameters["decoder.0/weight"].t()));
  const Tensor seen = small.view({batch, small_rows(), small_columns(), maps});
  const auto y = seen.accessor<double, 4>();
  const Tensor weight = parameters["decoder.convolution.0/weight"];
  const auto w = weight.accessor<double, 4>();
  const Tensor expected = parameters["decoder.convolution.0/bias"].repeat({batch, pixels()});
  auto picture = expected.accessor<double, 2>();
  for_each_meeting([&](auto row, auto column, auto r, auto c, auto i, auto j) {
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t m = 0; m < maps; ++m)
        for (std::int64_t ch = 0; ch < channels; ++ch)
          picture[b][(row * GetParam().columns + column) * channels + ch] += w[m][ch][i][j] * y[b][r][c][m];
  });
  EXPECT_TRUE(at::allclose(found, expected, 1e-12, 1e-12));
}

// ⟨convolution(x), y⟩ = ⟨x, transposed(y)⟩ with the same weights.
TEST_P(Convolutions, AreEachOthersAdjoint) {
  const ConvolutionStage stage = form().stages.front();
  Convolution forth("layer", {channels, maps, stage.kernel, stage.stride, stage.padding(), false});
  Convolution back("layer", {maps, channels, stage.kernel, stage.stride, stage.padding(), true});
  const auto parameters_of = [](const Convolution& layer) {
    std::vector<ParameterShape> shapes;
    layer.add_shapes(shapes);
    ParameterSet parameters = keyed_parameters(shapes);
    parameters["layer/bias"].zero_();
    return parameters;
  };
  const Tensor x = keyed({batch, channels, GetParam().rows, GetParam().columns}, 1);
  const Tensor y = keyed({batch, maps, small_rows(), small_columns()}, 2);
  const double here = (forth.forward(parameters_of(forth), x, nullptr) * y).sum().item<double>();
  const double there = (back.forward(parameters_of(back), y, nullptr) * x).sum().item<double>();
  EXPECT_NEAR(here, there, 1e-11 * std::fabs(here));
  EXPECT_GT(std::fabs(here), 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Convolutions,
                         testing::Values(Case{4, 6, 4, 2}, Case{4, 6, 2, 2}, Case{3, 5, 3, 1},
                                         Case{3, 4, 1, 1}, Case{6, 3, 5, 3}, Case{3, 3, 7, 1}));

// A likelihood's K outputs of a feature stand where the likelihood looks for them: known by their biases.
TEST(ConvolutionalDecoders, LayOutputsOutAsTheLikelihoodDoes) {
  const ConvolutionalForm form{plan_convolutions({.channels = {3}}, {4, 6, 2}), 0, {}};
  for (const bool is_by_feature : {false, true}) {
    ConvolutionalDecoder decoder(form, 2, {}, {.per_feature = 5, .is_by_feature = is_by_feature});
    ParameterSet parameters(decoder.parameter_shapes(), at::kDouble);
    const Tensor biases = parameters["decoder.convolution.0/bias"];
    ASSERT_EQ(biases.numel(), 2 * 5);
    biases.copy_(at::arange(10, at::kDouble));
    const Tensor output = decoder.forward(parameters, at::zeros({1, 2}, at::kDouble));
    ASSERT_EQ(output.sizes(), (std::vector<std::int64_t>{1, 4 * 6 * 2 * 5}));
    for (std::int64_t pixel = 0; pixel < 24; ++pixel)
      for (std::int64_t channel = 0; channel < 2; ++channel)
        for (std::int64_t k = 0; k < 5; ++k) {
          const std::int64_t feature = 2 * pixel + channel;
          const double found = output[0][is_by_feature ? feature * 5 + k : k * 48 + feature].item<double>();
          EXPECT_EQ(found, static_cast<double>(is_by_feature ? channel * 5 + k : k * 2 + channel));
        }
  }
}

double spread(const Tensor& values) { return values.square().mean().sqrt().item<double>(); }

// Of uniform numbers in ±b the standard deviation is b/√3; of 8,192 of them it is known to 0.4 %: 4 % is ten
// standard errors. Sums at the inner pixels have as many terms as the fan-in says.
TEST(ConvolutionalInitialisation, CountsTheTermsOfEachSum) {
  MlpOptions layers;
  layers.initialisation = "he";
  const ConvolutionalForm form{plan_convolutions({.channels = {16, 32}}, {8, 8}), 0, layers};
  ConvolutionalEncoder encoder(form, {}, 2);
  ParameterSet parameters(encoder.parameter_shapes(), at::kDouble);
  encoder.initialize(parameters, 0, Philox(1));
  const double expected = std::sqrt(2 / (16 * 16.));
  EXPECT_NEAR(spread(parameters["encoder.convolution.1/weight"]), expected, 0.04 * expected);
  EXPECT_EQ(spread(parameters["encoder.convolution.1/bias"]), 0);

  ConvolutionalDecoder decoder(form, 2, {}, {});
  ParameterSet back(decoder.parameter_shapes(), at::kDouble);
  decoder.initialize(back, 0, Philox(1));
  const double wider = std::sqrt(2 / (32 * 16 / 4.));  // a quarter of the kernel meets each pixel
  EXPECT_NEAR(spread(back["decoder.convolution.1/weight"]), wider, 0.04 * wider);
}

TEST(ConvolutionPlans, TellTheSizesOfEachStage) {
  const auto stages =
      plan_convolutions({.channels = {5, 6, 7}, .kernels = {4, 4, 3}, .strides = {2, 2, 1}}, {28, 20, 3});
  ASSERT_EQ(stages.size(), 3U);
  EXPECT_EQ(stages[0].before.channels, 3);
  EXPECT_EQ(stages[1].before.units(), 5 * 14 * 10);
  EXPECT_EQ(stages[2].after.units(), 7 * 7 * 5);
  EXPECT_EQ(stages[2].padding(), 1);
}

void expect_refused(const ConvolutionOptions& options, const std::vector<std::int64_t>& shape,
                    const std::vector<std::string>& parts) {
  try {
    plan_convolutions(options, shape);
    ADD_FAILURE() << "not refused: " << parts.front();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_config);
    for (const std::string& part : parts)
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << part << "\n" << error.what();
  }
}

TEST(ConvolutionPlans, RefuseSizesThatDoNotComeOut) {
  expect_refused({.channels = {8, 8, 8}}, {28, 28},
                 {"layer 3 of model.channels (kernel 4, stride 2)", "7 rows and 7 columns", "of 1, 7 would",
                  "model.strides"});
  expect_refused({.channels = {8}}, {28, 27}, {"layer 1", "28 rows and 27 columns", "of 1 would"});
  expect_refused({.channels = {8}}, {3, 32, 32}, {"3 rows and 32 columns"});  // channels first
  expect_refused({.channels = {8, 8}, .kernels = {4, 3}}, {28, 28},
                 {"layer 2", "kernel 3, stride 2", "14 rows", "2, 4 or 6"});
  expect_refused({.channels = {8}, .kernels = {2}, .strides = {4}}, {28, 28}, {"layer 1", "4, 6 or 8"});
}

TEST(ConvolutionPlans, RefuseKernelsFarWiderThanWhatTheyMeet) {
  const auto padding = [](std::int64_t kernel, const std::vector<std::int64_t>& shape) {
    return plan_convolutions({.channels = {8}, .kernels = {kernel}, .strides = {1}}, shape).front().padding();
  };
  EXPECT_EQ(padding(17, {8, 8}), 8);
  EXPECT_EQ(padding(25, {1, 12}), 12);  // the longer side decides: a signal is a picture of one row
  expect_refused({.channels = {8}, .kernels = {19}, .strides = {1}}, {8, 8},
                 {"layer 1 of model.channels (kernel 19, stride 1)", "8 rows and 8 columns",
                  "by 9 on each side", "model.kernels fits up to 17"});
  expect_refused({.channels = {8, 8}, .kernels = {4, 254}}, {16, 8},
                 {"layer 2", "kernel 254, stride 2", "8 rows and 4 columns", "by 126", "up to 18"});
}

TEST(ConvolutionPlans, RefuseWhatIsNoPictureAndListsThatDoNotFit) {
  expect_refused({}, {784}, {"[784]", "[height, width]", "model.network: mlp"});
  expect_refused({}, {2, 4, 4, 3}, {"[2, 4, 4, 3]"});
  expect_refused({.channels = {}}, {28, 28}, {"model.channels is empty"});
  expect_refused({.channels = {8, 8}, .strides = {2, 1, 1}}, {28, 28},
                 {"model.strides has 3 numbers for the 2 layers"});
  expect_refused({.channels = {8}, .kernels = {}}, {28, 28}, {"model.kernels has 0 numbers"});
}

}  // namespace
}  // namespace svi
