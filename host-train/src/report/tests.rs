use thumbnet::{
    Network,
    geometry::Shape,
    input::Shows,
    train::{Adam, Loss},
};

use super::*;
use crate::{
    data::Dataset,
    model::FitOptions,
    quantized::{QuantizeOptions, plain, quantize},
};

thumbnet::sequential! {
    struct Net: [4, 4, 1] {
        conv: Conv2D { filters: 4, kernel_size: 3, activation: Relu },
        flatten: Flatten,
        hidden: Dense { units: 6, activation: Tanh },
        scores: Dense { units: 2, activation: Softmax },
    }
}

thumbnet::sequential! {
    struct Number: [4] {
        hidden: Dense { units: 8, activation: Relu },
        number: Dense { units: 1 },
    }
}

/// Bright above or below, the last samples of which are called the other way round.
fn halves(count: usize, wrong: usize) -> Dataset {
    let pixel = |i: usize, at: usize| (if at / 8 == i % 2 { 180 + (i * 7 + at) % 60 } else { (i + at) % 40 }) as u8;
    let bytes = (0..count).flat_map(|i| (0..16).map(move |at| pixel(i, at))).collect();
    let classes = (0..count).map(|i| ((i + usize::from(i >= count - wrong)) % 2) as u8).collect();
    Dataset::new(Shape::new(4, 4, 1), bytes, classes)
        .with_labels(["<above>", "below"])
        .unwrap()
        .showing(Shows::Pictures)
}

fn with_report<N: Network>(train: &Dataset, test: &Dataset, loss: Loss, check: impl Fn(&Report<'_>)) {
    let mut model = Model::new(N::GRAPH, 1).compile(Adam::new(0.02, 0.9, 0.999, 1e-7), loss);
    let history =
        model.fit(train, FitOptions { epochs: 20, batch_size: 10, ..FitOptions::default() }, &mut []).unwrap();
    let options = QuantizeOptions { images: train.len(), ..QuantizeOptions::default() };
    let blob = plain(&quantize(model.model(), train, options).unwrap()).unwrap();
    let quantized = QuantizedModel::read(&blob).unwrap();
    check(&Report { model: model.model(), quantized: &quantized, history, is_unfinished: true, data: test });
}

#[test]
fn classes_are_counted_and_the_worst_mistakes_shown() {
    let (train, test) = (halves(100, 0), halves(40, 3));
    with_report::<Net>(&train, &test, Loss::CategoricalCrossentropy, |report| {
        let outputs = report.model.outputs(&test).unwrap();
        let counts = confusion(&Net::GRAPH, &outputs, &test).unwrap();
        assert_eq!(counts, [vec![19, 2], vec![1, 18]], "three are called the other way round");
        let worst = mistakes(&Net::GRAPH, &outputs, &test);
        let mut samples: Vec<usize> = worst.iter().map(|mistake| mistake.sample).collect();
        assert!(worst.is_sorted_by(|a, b| a.score >= b.score) && worst.iter().all(|mistake| mistake.score > 0.5));
        samples.sort_unstable();
        assert_eq!(samples, [37, 38, 39]);

        let page = report.to_html().unwrap();
        assert!(page.contains("&lt;above&gt;") && !page.contains("<above>"), "names are escaped");
        for title in ["Training", "Confusion", "Worst mistakes", "Quantisation error by layer", "Memory plan"] {
            assert!(page.contains(&format!("<h2>{title}</h2>")), "{title}");
        }
        assert!(page.contains("92.50 % (37 of 40)"));
        assert!(page.contains("The training is not done: these are its weights after 20 epochs."));
        // All that it shows is in it.
        for elsewhere in ["http://", "https://", "<script", "<link", "url(", "@import"] {
            let own = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!own.contains(elsewhere), "{elsewhere}");
        }
    });
}

#[test]
fn errors_are_those_of_each_layer() {
    let (train, test) = (halves(100, 0), halves(40, 0));
    with_report::<Net>(&train, &test, Loss::CategoricalCrossentropy, |report| {
        let errors = layers::errors(report.model, report.quantized, &test, 40).unwrap();
        let names: Vec<&str> = errors.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, ["conv", "hidden", "scores"]);
        for layer in &errors {
            // Rounding alone is a third of half a step; a few steps may come from the layers before.
            assert!(layer.error > 0.0 && layer.error < 4.0 * f64::from(layer.scale), "{layer:?}");
            assert!(layer.decibels() > 20.0, "{layer:?}");
        }
    });
}

#[test]
fn numbers_are_shown_over_what_was_wanted() {
    let values = (0..80).flat_map(|i| [0.0, 1.0, 2.0, 3.0].map(|k: f32| (i as f32 + k) / 40.0)).collect();
    let wanted = (0..80).map(|i| (i as f32 / 20.0).sin()).collect();
    let data = Dataset::regression(Shape::vector(4), values, 1, wanted).unwrap();
    with_report::<Number>(&data, &data, Loss::MeanSquaredError, |report| {
        let page = report.to_html().unwrap();
        assert!(page.contains("<h2>Estimated over wanted</h2>") && !page.contains("Confusion"));
        assert!(page.contains("mean absolute error"));
    });
}
