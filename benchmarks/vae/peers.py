"""Milliseconds of a training step of one VAE tool in a process of its own; started by compare.py.

    peers.py TOOL CASE.json      CASE: data, hidden, latent, batch, samples, steps, warm_up, threads

All train D-H-Z with one hidden layer of rectified units in each network, Bernoulli pixels from logits, and Adam at 1e-3, on the
same images in float32, and gather each minibatch from the images in memory in an order drawn for each epoch. With `samples`
> 1 the bound is the importance-weighted one (Burda et al. 2016); else the ELBO with the KL in closed form. Prints one number.
"""

import json
import sys
import time


def read_images(path):
    import h5py

    with h5py.File(path) as file:
        return file["x"][:].reshape(-1, 784).astype("float32") / 255


def torch_network(case):
    """As PyTorch's VAE example has it."""
    from torch import nn

    hidden, latent = case["hidden"], case["latent"]
    return nn.ModuleDict({"hidden": nn.Linear(784, hidden), "mean": nn.Linear(hidden, latent),
                          "log_variance": nn.Linear(hidden, latent), "decoder_hidden": nn.Linear(latent, hidden),
                          "pixels": nn.Linear(hidden, 784)})


def torch_loss(network, x, samples, as_in_example):
    import math

    import torch
    from torch.nn import functional

    h = functional.relu(network["hidden"](x))
    mean, log_variance = network["mean"](h), network["log_variance"](h)
    deviation = torch.exp(0.5 * log_variance)
    if samples == 1:
        z = mean + torch.randn_like(mean) * deviation
        logits = network["pixels"](functional.relu(network["decoder_hidden"](z)))
        if as_in_example:  # which trains by probabilities
            loss = functional.binary_cross_entropy(torch.sigmoid(logits), x, reduction="sum")
        else:
            loss = functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        return (loss - 0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())) / x.shape[0]
    noise = torch.randn(samples, *mean.shape)
    z = mean + noise * deviation
    logits = network["pixels"](functional.relu(network["decoder_hidden"](z)))
    likelihood = -functional.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none").sum(-1)
    weights = likelihood + 0.5 * (noise.pow(2) + log_variance - z.pow(2)).sum(-1)
    return -(torch.logsumexp(weights, 0) - math.log(samples)).mean()


def torch_step_ms(case, fused, compiled=False, as_in_example=False):
    import torch

    torch.set_num_threads(case["threads"])
    torch.manual_seed(1)
    images = torch.from_numpy(read_images(case["data"]))
    network = torch_network(case)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=fused or None)
    loss = torch_loss
    if compiled:
        loss = torch.compile(torch_loss)
    total, batch = case["warm_up"] + case["steps"], case["batch"]
    rows = torch.cat([torch.randperm(images.shape[0]) for _ in range(1 + total * batch // images.shape[0])])
    for step in range(total):
        if step == case["warm_up"]:
            start = time.perf_counter()
        optimizer.zero_grad()
        loss(network, images[rows[step * batch:(step + 1) * batch]], case["samples"], as_in_example).backward()
        optimizer.step()
    return (time.perf_counter() - start) / case["steps"] * 1000


def floor_ms(case):
    """The matrix products of a step alone, in place, by the same library as svi-train's."""
    import torch

    torch.set_num_threads(case["threads"])
    type_of = torch.bfloat16 if case.get("bfloat16") else torch.float32
    hidden, latent, batch = case["hidden"], case["latent"], case["batch"]
    layers = [(batch, 784, hidden, False), (batch, hidden, 2 * latent, True),
              (batch * case["samples"], latent, hidden, True), (batch * case["samples"], hidden, 784, True)]
    work = []
    for rows, inputs, outputs, wants_input in layers:
        x, w, y = (torch.rand(*shape).to(type_of) for shape in ((rows, inputs), (outputs, inputs), (rows, outputs)))
        work.append((x, w, y, torch.empty_like(x), torch.empty_like(w), wants_input))
    for step in range(case["warm_up"] + case["steps"]):
        if step == case["warm_up"]:
            start = time.perf_counter()
        for x, w, y, of_x, of_w, wants_input in work:
            torch.mm(x, w.t(), out=y)
            torch.mm(y.t(), x, out=of_w)
            if wants_input:
                torch.mm(y, w, out=of_x)
    return (time.perf_counter() - start) / case["steps"] * 1000


def jax_network(case):
    """stax layers of encoder and decoder, as NumPyro's VAE example has them."""
    from jax.example_libraries import stax

    encoder = stax.serial(stax.Dense(case["hidden"]), stax.Relu, stax.FanOut(2),
                          stax.parallel(stax.Dense(case["latent"]), stax.Dense(case["latent"])))
    decoder = stax.serial(stax.Dense(case["hidden"]), stax.Relu, stax.Dense(784))
    return encoder, decoder


def timed_epochs(case, epoch, state, images):
    """`epoch(state, images, rows, key)` is jitted whole; its first call compiles it."""
    import jax

    steps, batch = case["steps"], case["batch"]
    key = jax.random.PRNGKey(1)
    order = jax.random.choice(key, images.shape[0], (steps, batch))
    state = jax.block_until_ready(epoch(state, images, order, key))
    start = time.perf_counter()
    jax.block_until_ready(epoch(state, images, order, key))
    return (time.perf_counter() - start) / steps * 1000


def jax_step_ms(case):
    import jax
    import jax.numpy as jnp
    from jax.example_libraries import optimizers

    (start_encoder, encode), (start_decoder, decode) = jax_network(case)
    keys = jax.random.split(jax.random.PRNGKey(0))
    parameters = (start_encoder(keys[0], (case["batch"], 784))[1],
                  start_decoder(keys[1], (case["batch"], case["latent"]))[1])
    samples = case["samples"]

    def loss(both, x, key):
        mean, log_variance = encode(both[0], x)
        noise = jax.random.normal(key, (samples, *mean.shape))
        z = mean + noise * jnp.exp(0.5 * log_variance)
        logits = decode(both[1], z)
        likelihood = jnp.sum(logits * x - jax.nn.softplus(logits), -1)
        if samples == 1:
            kl = -0.5 * jnp.sum(1 + log_variance - mean**2 - jnp.exp(log_variance), -1)
            return jnp.mean(kl - likelihood[0])
        weights = likelihood + 0.5 * jnp.sum(noise**2 + log_variance - z**2, -1)
        return -jnp.mean(jax.scipy.special.logsumexp(weights, 0) - jnp.log(samples))

    start, update, value = optimizers.adam(1e-3)

    @jax.jit
    def epoch(state, images, order, key):
        def step(i, state):
            gradient = jax.grad(loss)(value(state), images[order[i]], jax.random.fold_in(key, i))
            return update(i, gradient, state)
        return jax.lax.fori_loop(0, case["steps"], step, state)

    return timed_epochs(case, epoch, start(parameters), jnp.asarray(read_images(case["data"])))


def numpyro_step_ms(case):
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from numpyro.infer import SVI, RenyiELBO, TraceMeanField_ELBO

    encoder, decoder = jax_network(case)
    batch, latent = case["batch"], case["latent"]

    def model(x):
        decode = numpyro.module("decoder", decoder, (batch, latent))
        with numpyro.plate("batch", batch):
            z = numpyro.sample("z", dist.Normal(0, 1).expand([latent]).to_event(1))
            numpyro.sample("x", dist.Bernoulli(logits=decode(z), validate_args=False).to_event(1), obs=x)

    def guide(x):
        encode = numpyro.module("encoder", encoder, (batch, 784))
        mean, log_variance = encode(x)
        with numpyro.plate("batch", batch):
            numpyro.sample("z", dist.Normal(mean, jnp.exp(0.5 * log_variance)).to_event(1))

    samples = case["samples"]
    bound = TraceMeanField_ELBO() if samples == 1 else RenyiELBO(alpha=0, num_particles=samples)
    svi = SVI(model, guide, numpyro.optim.Adam(1e-3), bound)
    images = jnp.asarray(read_images(case["data"]))
    state = svi.init(jax.random.PRNGKey(0), images[:batch])

    @jax.jit
    def epoch(state, images, order, key):
        return jax.lax.fori_loop(0, case["steps"], lambda i, state: svi.update(state, images[order[i]])[0], state)

    return timed_epochs(case, epoch, state, images)


def pyro_step_ms(case):
    import pyro
    import pyro.distributions as dist
    import torch

    torch.set_num_threads(case["threads"])
    pyro.set_rng_seed(1)
    images = torch.from_numpy(read_images(case["data"]))
    network = torch_network(case)
    relu = torch.nn.functional.relu

    def model(x):
        pyro.module("network", network)
        with pyro.plate("batch", x.shape[0]):
            zero = x.new_zeros(x.shape[0], case["latent"])
            z = pyro.sample("z", dist.Normal(zero, zero + 1).to_event(1))
            logits = network["pixels"](relu(network["decoder_hidden"](z)))
            pyro.sample("x", dist.Bernoulli(logits=logits, validate_args=False).to_event(1), obs=x)

    def guide(x):
        pyro.module("network", network)
        with pyro.plate("batch", x.shape[0]):
            h = relu(network["hidden"](x))
            mean, log_variance = network["mean"](h), network["log_variance"](h)
            pyro.sample("z", dist.Normal(mean, torch.exp(0.5 * log_variance)).to_event(1))

    samples = case["samples"]
    bound = pyro.infer.TraceMeanField_ELBO() if samples == 1 else pyro.infer.RenyiELBO(
        alpha=0, num_particles=samples, vectorize_particles=True)
    svi = pyro.infer.SVI(model, guide, pyro.optim.Adam({"lr": 1e-3}), bound)
    for step in range(case["warm_up"] + case["steps"]):
        if step == case["warm_up"]:
            start = time.perf_counter()
        svi.step(images[torch.randint(images.shape[0], (case["batch"],))])
    return (time.perf_counter() - start) / case["steps"] * 1000


TOOLS = {
    "products alone": floor_ms,
    "products alone, bfloat16": lambda case: floor_ms({**case, "bfloat16": True}),
    "PyTorch, as its example": lambda case: torch_step_ms(case, fused=False, as_in_example=True),
    "PyTorch, fused Adam": lambda case: torch_step_ms(case, fused=True),
    "PyTorch, compiled": lambda case: torch_step_ms(case, fused=True, compiled=True),
    "Pyro": pyro_step_ms,
    "NumPyro": numpyro_step_ms,
    "JAX by hand": jax_step_ms,
}

if __name__ == "__main__":
    print(TOOLS[sys.argv[1]](json.load(open(sys.argv[2]))))
