use thumbnet::Network;

use super::*;

thumbnet::sequential! {
    struct Net: [4, 4, 1] {
        edges: Conv2D { filters: 2, kernel_size: 3, padding: Same },
        shapes: Conv2D { filters: 3, kernel_size: (1, 2), use_bias: false },
        flat: Flatten,
        hidden: Dense { units: 5 },
        scores: Dense { units: 2, activation: Softmax },
    }
}

/// Weights that are all different.
fn weights() -> Vec<f32> {
    (0..Net::PARAMETERS).map(|i| i as f32 / 8.0).collect()
}

/// A file of tensors, each with a shape and its values.
fn file(tensors: &[(&str, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, v)| v.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes);
    let views =
        views.map(|((name, shape, _), data)| (*name, TensorView::new(Dtype::F32, shape.clone(), data).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

/// The tensors of the network, to be tampered with.
fn tensors() -> Vec<(&'static str, Vec<usize>, Vec<f32>)> {
    let weights = weights();
    let mut rest = weights.as_slice();
    [
        ("edges.kernel", vec![3, 3, 1, 2]),
        ("edges.bias", vec![2]),
        ("shapes.kernel", vec![1, 2, 2, 3]),
        ("hidden.kernel", vec![4 * 3 * 3, 5]),
        ("hidden.bias", vec![5]),
        ("scores.kernel", vec![5, 2]),
        ("scores.bias", vec![2]),
    ]
    .map(|(name, shape)| {
        let (values, after) = rest.split_at(shape.iter().product());
        rest = after;
        (name, shape, values.to_vec())
    })
    .into()
}

fn error(tensors: &[(&str, Vec<usize>, Vec<f32>)]) -> String {
    import(&Net::GRAPH, &file(tensors)).unwrap_err().to_string()
}

#[test]
fn reads_own_names_and_kerass() {
    assert_eq!(import(&Net::GRAPH, &file(&tensors())).unwrap(), weights());

    let names = [
        "conv2d.kernel",
        "conv2d.bias",
        "conv2d_1.kernel",
        "dense.kernel",
        "dense.bias",
        "dense_1.kernel",
        "dense_1.bias",
    ];
    let renamed: Vec<_> =
        tensors().into_iter().zip(names).map(|((_, shape, values), name)| (name, shape, values)).collect();
    assert_eq!(import(&Net::GRAPH, &file(&renamed)).unwrap(), weights());
}

thumbnet::sequential! {
    struct Row: [8, 2] {
        first: Conv1D { filters: 3, kernel_size: 3 },
        deep: DepthwiseConv1D { kernel_size: 2 },
        second: Conv1D { filters: 2, kernel_size: 2 },
        flat: Flatten,
        scores: Dense { units: 2, activation: Softmax },
    }
}

/// Layers along one dimension have Keras's names and shapes of such.
#[test]
fn reads_kerass_layers_along_one_dimension() {
    let weights: Vec<f32> = (0..Row::PARAMETERS).map(|i| i as f32 / 8.0).collect();
    let mut rest = weights.as_slice();
    let mut tensor = |name, shape: &[usize]| {
        let (values, after) = rest.split_at(shape.iter().product());
        rest = after;
        (name, shape.to_vec(), values.to_vec())
    };
    let mut tensors = vec![
        tensor("conv1d_4.kernel", &[3, 2, 3]),
        tensor("conv1d_4.bias", &[3]),
        tensor("depthwise_conv1d.kernel", &[2, 3, 1]),
        tensor("depthwise_conv1d.bias", &[3]),
        tensor("conv1d_5.kernel", &[2, 3, 2]),
        tensor("conv1d_5.bias", &[2]),
        tensor("dense.kernel", &[8, 2]),
        tensor("dense.bias", &[2]),
    ];
    assert_eq!(import(&Row::GRAPH, &file(&tensors)).unwrap(), weights);

    tensors[0].1 = vec![2, 3, 3];
    let text = import(&Row::GRAPH, &file(&tensors)).unwrap_err().to_string();
    assert_eq!(text, "tensor `conv1d_4.kernel` has shape [2, 3, 3], must have [1, 3, 2, 3]");
    tensors[0].1 = vec![3, 2, 3];
    // Two layers of one number.
    tensors[0].0 = "conv2d_5.kernel";
    tensors[1].0 = "conv2d_5.bias";
    let text = import(&Row::GRAPH, &file(&tensors)).unwrap_err().to_string();
    assert!(text.contains("for as many Keras's names must stand"), "{text}");
}

/// The tensors with layers of other names, and what those names become.
fn renamed(layers: [&str; 4], name: impl Fn(&str, &str) -> String) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let own = ["edges", "shapes", "hidden", "scores"];
    let rename = |(old, shape, values): (&str, _, _)| {
        let (layer, variable) = old.split_once('.').unwrap();
        let place = own.iter().position(|own| *own == layer).unwrap();
        (name(layers[place], variable), shape, values)
    };
    tensors().into_iter().map(rename).collect()
}

fn imported(tensors: &[(String, Vec<usize>, Vec<f32>)]) -> Result<Vec<f32>, String> {
    let tensors: Vec<_> = tensors.iter().map(|(name, shape, v)| (name.as_str(), shape.clone(), v.clone())).collect();
    import(&Net::GRAPH, &file(&tensors)).map_err(|error| error.to_string())
}

/// Names as Keras gives them: of layers in the first model of a program and in later ones, `variable.path` of Keras 3,
/// `variable.name` of Keras 2, and those in a file of `save_weights`. They come from
///
/// ```python
/// import keras
/// def model():
///     return keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3, padding="same"),
///   keras.layers.Conv2D(3, (1, 2), use_bias=False), keras.layers.Flatten(), keras.layers.Dense(5),
///   keras.layers.Dense(2)])
/// for m in [model(), model()]:
///     print([v.path for v in m.variables])        # sequential/conv2d/kernel ...; sequential_1/conv2d_2/kernel ...
/// ```
#[test]
fn reads_every_name_that_keras_gives() {
    type Style = fn(&str, &str) -> String;
    let styles: [Style; 8] = [
        |layer, variable| format!("{layer}.{variable}"),
        |layer, variable| format!("{layer}/{variable}"),
        |layer, variable| format!("{layer}/{variable}:0"),
        |layer, variable| format!("sequential_1/{layer}/{variable}"),
        |layer, variable| format!("model/{layer}/{variable}:0"),
        |layer, variable| format!("model_weights/{layer}/{layer}/{variable}:0"),
        |layer, variable| format!("sequential.{layer}.{variable}"),
        |layer, variable| format!("layers/{layer}/vars/{}", u8::from(variable == "bias")),
    ];
    for layers in [
        ["edges", "shapes", "hidden", "scores"],
        ["conv2d", "conv2d_1", "dense", "dense_1"],
        ["conv2d_2", "conv2d_3", "dense_2", "dense_3"],
        ["conv2d_2", "conv2d_10", "dense_99", "dense_100"],
        ["conv2d_9", "conv2d_10", "dense", "dense_11"],
        // The classes by themselves.
        ["edges", "shapes", "dense_4", "dense_5"],
        // Some layers have a name, and Keras numbers the others.
        ["edges", "conv2d", "dense", "scores"],
        ["conv2d_7", "shapes", "hidden", "dense_3"],
    ] {
        for (number, style) in styles.into_iter().enumerate() {
            assert_eq!(imported(&renamed(layers, style)).as_ref(), Ok(&weights()), "{layers:?} in style {number}");
        }
    }
}

#[test]
fn what_could_mean_several_is_an_error() {
    let own = ["edges", "shapes", "hidden", "scores"];
    let plain = |layer: &str, variable: &str| format!("{layer}.{variable}");
    let mut twice = renamed(own, plain);
    twice.push(("edges/bias:0".into(), vec![2], vec![0.0; 2]));
    let text = imported(&twice).unwrap_err();
    assert_eq!(text, "edges.bias, edges/bias:0 could each be meant by one bias of a layer: keep one model in a file");

    for layers in [own, ["conv2d", "conv2d_1", "dense", "dense_1"]] {
        let two =
            ["model/", "model_1/"].map(|model| renamed(layers, |layer, variable| format!("{model}{layer}/{variable}")));
        let text = imported(&two.concat()).unwrap_err();
        let both = format!("model/{0}/bias, model/{0}/kernel, model_1/{0}/bias, model_1/{0}/kernel", layers[0]);
        assert!(text.starts_with(&format!("{both} could each be meant by one layer")), "{text}");
    }

    let first = renamed(["conv2d", "conv2d_1", "dense", "dense_1"], plain);
    let second = renamed(["conv2d_2", "conv2d_3", "dense_2", "dense_3"], plain);
    let text = imported(&[first, second].concat()).unwrap_err();
    assert_eq!(
        text,
        "Net has 2 layers of class Conv2D (edges, shapes), and for as many Keras's names must stand; the file has \
         conv2d.bias, conv2d.kernel, conv2d_1.kernel, conv2d_2.bias, conv2d_2.kernel, conv2d_3.kernel"
    );
}

#[test]
fn other_names_are_told_from_kerass() {
    for layers in [
        ["a", "b", "c", "d"],
        ["conv2d_0", "conv2d_01", "dense", "dense_1"],
        ["conv2d_", "conv2d_1x", "dense", "dense_1"],
        ["conv2dx", "xconv2d", "dense", "dense_1"],
    ] {
        let text = imported(&renamed(layers, |layer, variable| format!("{layer}.{variable}"))).unwrap_err();
        assert!(text.starts_with("tensor `edges.kernel` is missing"), "{layers:?}: {text}");
        assert!(text.contains(&format!("{}.kernel", layers[1])), "{layers:?}: {text}");
        let expected =
            "the layers are edges, shapes, hidden, scores, or as Keras names them conv2d, conv2d_1, dense, dense_1";
        assert!(text.ends_with(expected), "{layers:?}: {text}");
    }
    let torch =
        renamed(["0", "2", "5", "7"], |layer, variable| format!("{layer}.{}", variable.replace("kernel", "weight")));
    let text = imported(&torch).unwrap_err();
    assert!(text.starts_with("tensor `0.weight` is named as in PyTorch, which lays weights out otherwise"), "{text}");
    let many: Vec<_> = (0..1000).map(|i| (format!("layer{i:03}.kernel"), vec![1], vec![0.0])).collect();
    assert!(imported(&many).unwrap_err().contains("layer019.kernel and 980 more; the layers are"));
    let nowhere = [
        renamed(["conv2d", "conv2d_1", "dense", "dense_1"], |layer, variable| format!("{layer}.{variable}")),
        vec![("iteration".into(), vec![1], vec![0.0])],
    ]
    .concat();
    assert_eq!(imported(&nowhere).unwrap_err(), "tensor `iteration` belongs to no layer of Net");
}

thumbnet::sequential! {
    /// Layers that are called as Keras calls those of another place.
    struct Swapped: [4] {
        dense_1: Dense { units: 4, use_bias: false },
        dense_2: Dense { units: 4, use_bias: false },
    }
}

/// A name that Keras gives by itself tells the order alone, so that half a match does not swap two layers.
#[test]
fn numbered_names_keep_their_order() {
    let tensor = |name, value| (name, vec![4, 4], vec![value; 16]);
    let read = |first, second| import(&Swapped::GRAPH, &file(&[tensor(first, 1.0), tensor(second, 2.0)])).unwrap();
    for names in
        [["dense_1.kernel", "dense_2.kernel"], ["dense_2.kernel", "dense_3.kernel"], ["dense.kernel", "dense_1.kernel"]]
    {
        assert_eq!(read(names[0], names[1]), [[1.0; 16], [2.0; 16]].concat(), "{names:?}");
    }
}

/// What `model.variables` has besides weights, and what a checkpoint has of the optimizer, is passed over.
#[test]
fn what_keras_remembers_of_a_training_is_passed_over() {
    let mut tensors =
        renamed(["conv2d", "conv2d_1", "dense", "dense_1"], |layer, variable| format!("{layer}/{variable}"));
    for name in [
        "seed_generator_3/seed_generator_state",
        "dropout/seed_generator/seed_generator_state",
        "adam/iteration",
        "adam/learning_rate",
        "adam/conv2d_kernel_momentum",
        "adadelta_1/iteration",
        "optimizer/vars/0",
    ] {
        tensors.push((name.into(), vec![1], vec![f32::NAN]));
    }
    assert_eq!(imported(&tensors), Ok(weights()));
    tensors.push(("adamant/kernel".into(), vec![1], vec![0.0]));
    assert_eq!(imported(&tensors).unwrap_err(), "tensor `adamant/kernel` belongs to no layer of Net");
}

#[test]
fn exports_what_it_imports() {
    for names in [Names::Own, Names::Keras] {
        let bytes = export(&Net::GRAPH, &About::default(), &weights(), names).unwrap();
        assert_eq!(import(&Net::GRAPH, &bytes).unwrap(), weights());
    }
    let bytes = export(&Net::GRAPH, &About::default(), &weights(), Names::Keras).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("conv2d_1.kernel").unwrap().shape(), [1, 2, 2, 3]);
    assert_eq!(file.len(), 7);
}

#[test]
fn names_the_tensor_that_is_wrong() {
    let mut missing = tensors();
    missing.remove(4);
    let text = error(&missing);
    assert!(text.starts_with("tensor `hidden.bias` is missing (f32, shape [5]); the file has edges.bias, "), "{text}");
    assert!(error(&[]).contains("tensor `edges.kernel` is missing"));

    let mut extra = tensors();
    extra.push(("shapes.bias", vec![3], vec![0.0; 3]));
    assert_eq!(error(&extra), "tensor `shapes.bias` belongs to no layer of Net");

    let mut transposed = tensors();
    transposed[5].1 = vec![2, 5];
    assert_eq!(error(&transposed), "tensor `scores.kernel` has shape [2, 5], must have [5, 2]");

    let mut infinite = tensors();
    infinite[1].2[1] = f32::INFINITY;
    assert_eq!(error(&infinite), "tensor `edges.bias` holds inf at position 1; weights must be finite");
}

#[test]
fn other_types_and_files_are_refused() {
    let data = [0; 4 * 36 * 5];
    let views = tensors().into_iter().map(|(name, shape, values)| {
        let (dtype, size) = if name == "edges.kernel" { (Dtype::F16, 2) } else { (Dtype::F32, 4) };
        (name, TensorView::new(dtype, shape, &data[..size * values.len()]).unwrap())
    });
    let bytes = safetensors::serialize(views, None).unwrap();
    assert_eq!(
        import(&Net::GRAPH, &bytes).unwrap_err().to_string(),
        "tensor `edges.kernel` has dtype F16, must have F32"
    );

    let bytes = file(&tensors());
    for len in [0, 7, 8, 100, bytes.len() - 1] {
        assert!(matches!(import(&Net::GRAPH, &bytes[..len]), Err(ImportError::Format(_))), "{len}");
    }
}

#[test]
fn snake_case_is_kerass() {
    for (class, name) in [
        ("Conv2D", "conv2d"),
        ("Dense", "dense"),
        ("MaxPooling2D", "max_pooling2d"),
        ("DepthwiseConv2D", "depthwise_conv2d"),
        ("BatchNormalization", "batch_normalization"),
    ] {
        assert_eq!(snake_case(class), name);
    }
}

thumbnet::sequential! {
    struct Normalized: [4, 4, 2] {
        conv: Conv2D { filters: 3, kernel_size: 2, use_bias: false },
        norm: BatchNormalization,
        depthwise: DepthwiseConv2D { kernel_size: 2 },
    }
}

/// The four tensors of a batch normalisation by their names and by their numbers, and a depthwise kernel as Keras 2
/// calls it.
#[test]
fn batch_normalisations_travel_whole() {
    let weights: Vec<f32> = (1..=Normalized::PARAMETERS as u16).map(f32::from).collect();
    let tensor = |name: &str, shape: &[usize], first: usize| {
        (name.to_owned(), shape.to_vec(), weights[first..][..shape.iter().product()].to_vec())
    };
    let file = |norm: [&str; 4], depthwise: &str, negative: bool| {
        let mut tensors = vec![tensor("conv2d.kernel", &[2, 2, 2, 3], 0)];
        tensors.extend((0..4).map(|i| tensor(&format!("batch_normalization{}", norm[i]), &[3], 24 + 3 * i)));
        tensors.push(tensor(&format!("depthwise_conv2d.{depthwise}"), &[2, 2, 3, 1], 36));
        tensors.push(tensor("depthwise_conv2d.bias", &[3], 48));
        tensors[4].2[1] *= if negative { -1.0 } else { 1.0 };
        let views: Vec<_> =
            tensors.iter().map(|(name, shape, values)| (name.as_str(), shape.clone(), values.clone())).collect();
        import(&Normalized::GRAPH, &self::file(&views))
    };
    let names = [".gamma", ".beta", ".moving_mean", ".moving_variance"];
    assert_eq!(file(names, "kernel", false).unwrap(), weights);
    assert_eq!(file(["/vars/0", "/vars/1", "/vars/2", "/vars/3"], "depthwise_kernel", false).unwrap(), weights);
    let error = file(names, "kernel", true).unwrap_err().to_string();
    let text = "tensor `batch_normalization.moving_variance` holds -35 at position 1; a variance must be at least 0";
    assert_eq!(error, text);
    for names in [Names::Own, Names::Keras] {
        let exported = export(&Normalized::GRAPH, &About::default(), &weights, names).unwrap();
        assert_eq!(import(&Normalized::GRAPH, &exported).unwrap(), weights);
    }
}
