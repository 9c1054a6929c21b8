#include "svi/math/assignment.hpp"

#include <limits>

namespace svi::math {

namespace {

constexpr std::size_t nothing = std::numeric_limits<std::size_t>::max();

// Potentials u, v with cost_rc − u_r − v_c ≥ 0 everywhere and 0 where a row is assigned.
class Assignment {
 public:
  Assignment(std::span<const double> costs, std::size_t rows, std::size_t columns)
      : costs_(costs), columns_(columns), u_(rows), v_(columns), row_of_(columns, nothing) {}

  // Assigns one row more, along the shortest path from it to a free column.
  void add(std::size_t row) {
    distance_.assign(columns_, std::numeric_limits<double>::infinity());
    previous_.assign(columns_, nothing);
    is_reached_.assign(columns_, false);
    std::size_t column = nothing;  // reached last; at first the path is at `row` itself
    for (std::size_t at = row; at != nothing; at = row_of_[column]) column = reach_next(at, column, row);
    for (std::size_t c = column;
         c != nothing;) {  // back along the path each column takes its predecessor's row
      const std::size_t before = previous_[c];
      row_of_[c] = before == nothing ? row : row_of_[before];
      c = before;
    }
  }

  const std::vector<std::size_t>& row_of() const { return row_of_; }

 private:
  // Extends paths by the edges of a row, and moves to the nearest column not reached.
  std::size_t reach_next(std::size_t at, std::size_t column, std::size_t start) {
    std::size_t nearest = nothing;
    if (column != nothing) is_reached_[column] = true;
    for (std::size_t c = 0; c < columns_; ++c) {
      if (is_reached_[c]) continue;
      const double reduced = costs_[at * columns_ + c] - u_[at] - v_[c];
      if (reduced < distance_[c]) {
        distance_[c] = reduced;
        previous_[c] = column;
      }
      if (nearest == nothing || distance_[c] < distance_[nearest]) nearest = c;
    }
    shift(distance_[nearest], start);
    return nearest;
  }

  // Moves the potentials of all that was reached, so that the nearest column lies at distance zero.
  void shift(double delta, std::size_t start) {
    u_[start] += delta;
    for (std::size_t c = 0; c < columns_; ++c) {
      if (is_reached_[c]) {
        u_[row_of_[c]] += delta;
        v_[c] -= delta;
      } else {
        distance_[c] -= delta;
      }
    }
  }

  std::span<const double> costs_;
  std::size_t columns_;
  std::vector<double> u_;
  std::vector<double> v_;
  std::vector<std::size_t> row_of_;  // of each column, or nothing

  // Of the row being added.
  std::vector<double> distance_;
  std::vector<std::size_t> previous_;  // the column before on the path
  std::vector<bool> is_reached_;
};

}  // namespace

std::vector<std::int64_t> least_assignment(std::span<const double> costs, std::int64_t rows,
                                           std::int64_t columns) {
  Assignment assignment(costs, static_cast<std::size_t>(rows), static_cast<std::size_t>(columns));
  for (std::int64_t row = 0; row < rows; ++row) assignment.add(static_cast<std::size_t>(row));
  std::vector<std::int64_t> column_of(static_cast<std::size_t>(rows));
  for (std::size_t c = 0; c < assignment.row_of().size(); ++c) {
    if (assignment.row_of()[c] != nothing) column_of[assignment.row_of()[c]] = static_cast<std::int64_t>(c);
  }
  return column_of;
}

}  // namespace svi::math
