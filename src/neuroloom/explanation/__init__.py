"""What a learner looked at: attributions, each shown with the tests that it must pass (`explain`)."""

EXPLANATIONS = {
    "amplitude_perturbation": "neuroloom.explanation.amplitude_perturbation:AmplitudePerturbation",
    "gradient": "neuroloom.explanation.gradient:Gradient",
    "integrated_gradients": "neuroloom.explanation.integrated_gradients:IntegratedGradients",
    "occlusion": "neuroloom.explanation.occlusion:Occlusion",
    "weights": "neuroloom.explanation.weights:Weights",
}
