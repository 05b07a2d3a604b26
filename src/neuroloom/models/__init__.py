"""Networks, one architecture a file: `Model(in_shape, n_outputs, **arguments)`, each a plain `nn.Module`.

`MODELS` map one input to logits, `ROW_MODELS` windows in a row to logits of each, `VOXEL_MODELS` a volume to logits at each
of its voxels. `FUSIONS` join several
inputs, each with an encoder of its own from `MODELS`.
"""

MODELS = {
    "mlp": "neuroloom.models.table_mlp:MLP",
    "cnn3d": "neuroloom.models.volume_cnn3d:CNN3D",
    "sfcn": "neuroloom.models.volume_sfcn:SFCN",
    "resnet3d": "neuroloom.models.volume_resnet3d:ResNet3D",
    "densenet3d": "neuroloom.models.volume_densenet3d:DenseNet3D",
    "brainnetcnn": "neuroloom.models.graph_brainnetcnn:BrainNetCNN",
    "conv1d": "neuroloom.models.series_conv1d:Conv1D",
    "gru": "neuroloom.models.series_gru:SeriesGRU",
    "eegnet": "neuroloom.models.eeg_eegnet:EEGNet",
    "shallow_convnet": "neuroloom.models.eeg_shallow:ShallowConvNet",
    "deep_convnet": "neuroloom.models.eeg_deep:DeepConvNet",
    "eeg_conformer": "neuroloom.models.eeg_conformer:EEGConformer",
    "atcnet": "neuroloom.models.eeg_atcnet:ATCNet",
    "p300_cnn": "neuroloom.models.eeg_p300:P300CNN",
    "stft_cnn": "neuroloom.models.eeg_stft:StftCNN",
    "sleep_context": "neuroloom.models.eeg_sleep:SleepContext",
}
ROW_MODELS = {
    "utime": "neuroloom.models.series_utime:UTime",
}
VOXEL_MODELS = {
    "unet3d": "neuroloom.models.volume_unet3d:UNet3D",
    "highres3d": "neuroloom.models.volume_highres3d:HighRes3D",
    "deepmedic": "neuroloom.models.volume_deepmedic:DeepMedic",
}
FUSIONS = {"late_fusion": "neuroloom.models.fusion:LateFusion"}
